/* Run the model on inputs from the host and give it the outputs, through semihosting. Written by edgecompile.
 *
 * Reads the raw inputs, sample after sample, from `inputs.bin` until it ends; writes the raw outputs to `outputs.bin`
 * and the ticks of the core's timer during each run (uint32) to `ticks.bin`. With EC_TRACE it writes every operator's
 * result instead of the outputs. With EC_CLIP the inputs are clips of sound, int16, of which the model's input is made;
 * with EC_FEATURES that input is written instead of the outputs, and timed instead of the run. ec_mark is called before and after each run (with EC_PROFILE after each operator
 * too): what counts instructions does so between its calls.
 */
#include "hooks.h"
#include "model.h"
#include "semihosting.h"

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xE000E018u)
#define SYSTICK_SPAN 0x1000000u

void SysTick_Handler(void);

static MODEL_ARENA(arena);
static volatile uint32_t wraps;
static int32_t outputs;

void SysTick_Handler(void) { ++wraps; }

__attribute__((noinline)) void ec_mark(void) { __asm__ volatile(""); }

void ec_trace(const void *place, uint32_t bytes)
{
    if (!ec_host_write(outputs, place, bytes)) ec_host_exit(3);
}

#if defined(EC_CLIP) || defined(EC_FEATURES)
static int16_t clip[MODEL_FEATURES_CLIP];
static int32_t scratch[MODEL_FEATURES_SCRATCH];

static int take(int32_t inputs, int index)
{
    (void)index;
    return ec_host_read(inputs, clip, sizeof clip);
}

static void hear(void) { MODEL_FEATURES(clip, (model_feature *)MODEL_INPUT(arena.bytes, 0), scratch); }
#else
static int take(int32_t inputs, int index)
{
    return ec_host_read(inputs, MODEL_INPUT(arena.bytes, index), model_input_bytes[index]);
}
#endif

static void work(void)
{
#ifdef EC_FEATURES
    hear();
#else
    MODEL_INVOKE(arena.bytes);
#endif
}

/* Ticks of one run, at the frequency of the processor. */
static uint32_t timed_run(void)
{
    uint32_t left;
    wraps = 0;
    SYSTICK_RELOAD = SYSTICK_SPAN - 1u;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = 7u; /* processor's clock, exception at zero, on */
    ec_mark();
    work();
    ec_mark();
    left = SYSTICK_VALUE;
    SYSTICK_CONTROL = 0;
    return wraps * SYSTICK_SPAN + (SYSTICK_SPAN - left) % SYSTICK_SPAN;
}

int main(void)
{
    const int32_t inputs = ec_host_open("inputs.bin", EC_HOST_READ), ticks = ec_host_open("ticks.bin", EC_HOST_WRITE);
    int index;
    outputs = ec_host_open("outputs.bin", EC_HOST_WRITE);
    if (inputs < 0 || outputs < 0 || ticks < 0) ec_host_exit(2);
    for (;;) {
        uint32_t spent;
        MODEL_INIT(arena.bytes);
        for (index = 0; index < MODEL_INPUTS; ++index) {
            if (!take(inputs, index)) {
                ec_host_close(outputs);
                ec_host_close(ticks);
                ec_host_exit(0);
            }
        }
#ifdef EC_CLIP
        hear();
#endif
        spent = timed_run();
        (void)ec_host_write(ticks, &spent, sizeof spent);
#if defined(EC_FEATURES)
        ec_trace(MODEL_INPUT(arena.bytes, 0), model_input_bytes[0]);
#elif !defined(EC_TRACE)
        for (index = 0; index < MODEL_OUTPUTS; ++index) {
            ec_trace(MODEL_OUTPUT(arena.bytes, index), model_output_bytes[index]);
        }
#endif
    }
}
