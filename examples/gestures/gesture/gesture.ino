/* Tells gestures on an Arduino Nano 33 BLE (Sense): a second of the inertial sensor in, the gesture's name out.
 *
 * Needs the library that edgecompile wrote (build/arduino-nano33ble/arduino/gestures, copied into the sketchbook's
 * libraries folder) and Arduino_LSM9DS1, or Arduino_BMI270_BMM150 for the board's second revision.
 */
#include <Arduino_LSM9DS1.h>
#include <gestures.h>

static const char *const names[] = {"rest", "circle", "shake", "flick"};
static const int samples = 100, axes = 6;
static const float g_scale = 4.0f, turn_scale = 500.0f; /* as in motions.py */

static union {
  uint64_t alignment;
  uint8_t bytes[GESTURES_ARENA_BYTES];
} arena;

/* The last second, oldest first, as the model takes it. */
static int8_t heard[samples * axes];

static int8_t quantized(float value) {
  const float scaled = value / GESTURES_INPUT_0_SCALE;
  const long rounded = (long)(scaled < 0 ? scaled - 0.5f : scaled + 0.5f) + GESTURES_INPUT_0_ZERO_POINT;
  return (int8_t)constrain(rounded, -128L, 127L);
}

/* Wait for one sample of both sensors and put it behind the others. */
static void take() {
  float x, y, z;
  memmove(heard, heard + axes, sizeof heard - axes);
  int8_t *const newest = heard + sizeof heard - axes;
  while (!IMU.accelerationAvailable()) {
  }
  IMU.readAcceleration(x, y, z);
  newest[0] = quantized(x / g_scale);
  newest[1] = quantized(y / g_scale);
  newest[2] = quantized(z / g_scale);
  while (!IMU.gyroscopeAvailable()) {
  }
  IMU.readGyroscope(x, y, z);
  newest[3] = quantized(x / turn_scale);
  newest[4] = quantized(y / turn_scale);
  newest[5] = quantized(z / turn_scale);
}

void setup() {
  Serial.begin(115200);
  if (!IMU.begin()) {
    Serial.println("the inertial sensor does not answer");
    for (;;) delay(1000);
  }
  gestures_init(arena.bytes);
}

void loop() {
  for (int i = 0; i < 25; ++i) take(); /* four answers a second */
  memcpy(gestures_input(arena.bytes, 0), heard, sizeof heard);
  gestures_invoke(arena.bytes);
  const int8_t *const scores = static_cast<const int8_t *>(gestures_output(arena.bytes, 0));
  int best = 0;
  for (int i = 1; i < (int)GESTURES_OUTPUT_0_ELEMENTS; ++i) {
    if (scores[i] > scores[best]) best = i;
  }
  if (best != 0) Serial.println(names[best]);
}
