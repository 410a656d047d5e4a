/* Stands in for Arduino's core: what the example's sketch uses of it, by the language reference's signatures. */
#pragma once
#include <stdint.h>
#include <string.h>
#define constrain(x, low, high) ((x) < (low) ? (low) : ((x) > (high) ? (high) : (x)))
struct SerialStandIn {
  void begin(unsigned long speed);
  void println(const char *text);
};
extern SerialStandIn Serial;
void delay(unsigned long milliseconds);
void setup();
void loop();
