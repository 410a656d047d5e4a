/* Run the model on golden inputs and hold its outputs against the golden ones, bit for bit. Written by edgecompile.
 *
 * The result is told through semihosting: one line, EOT (at which `pyocd run --eot` stops), and the exit code (0: all
 * equal).
 */
#include "golden.h"
#include "model.h"
#include "semihosting.h"

static MODEL_ARENA(arena);

static int equal(const uint8_t *a, const uint8_t *b, uint32_t count)
{
    uint32_t i;
    for (i = 0; i < count; ++i) {
        if (a[i] != b[i]) return 0;
    }
    return 1;
}

static int sample_is_equal(uint32_t sample)
{
    const uint8_t *from = golden_inputs[sample], *expected = golden_outputs[sample];
    int index;
    uint32_t i;
    MODEL_INIT(arena.bytes);
    for (index = 0; index < MODEL_INPUTS; ++index) {
        uint8_t *const to = (uint8_t *)MODEL_INPUT(arena.bytes, index);
        for (i = 0; i < model_input_bytes[index]; ++i) to[i] = *from++;
    }
    MODEL_INVOKE(arena.bytes);
    for (index = 0; index < MODEL_OUTPUTS; ++index) {
        if (!equal((const uint8_t *)MODEL_OUTPUT(arena.bytes, index), expected, model_output_bytes[index])) return 0;
        expected += model_output_bytes[index];
    }
    return 1;
}

int main(void)
{
    uint32_t sample, passed = 0;
    for (sample = 0; sample < GOLDEN_SAMPLES; ++sample) {
        if (sample_is_equal(sample)) ++passed;
    }
    ec_host_print("edgecompile self-test: ");
    ec_host_print_number(passed);
    ec_host_print(" of ");
    ec_host_print_number(GOLDEN_SAMPLES);
    ec_host_print(passed == GOLDEN_SAMPLES ? " equal, passed\n\004" : " equal, FAILED\n\004");
    ec_host_exit(passed == GOLDEN_SAMPLES ? 0u : 1u);
}
