/* Dense layers on cores with Helium (MVE): four rows of weights with each sixteen inputs, scaled as in dot_mve.h.
 * Nothing here allocates.
 */
#ifndef EC_FULLY_CONNECTED_DOT_MVE_H_
#define EC_FULLY_CONNECTED_DOT_MVE_H_

#include <arm_mve.h>

/* Sums of four rows of `count` weights, sums[0] bytes apart, times the input. Nothing beyond is read. */
__attribute__((naked, noinline, unused)) static void ec_fully_connected_dot_mve_four(
    const int8_t *weights __attribute__((unused)), const int8_t *input __attribute__((unused)),
    int32_t count __attribute__((unused)), int32_t *sums __attribute__((unused)))
{
    __asm__ volatile(
        "push {r4-r10, lr}\n"
        "ldr r12, [r3]\n"
        "add r5, r0, r12\n add r7, r5, r12\n add r9, r7, r12\n"
        "mov r4, #0\n mov r6, #0\n mov r8, #0\n mov r10, #0\n"
        "dlstp.8 lr, r2\n"
        "1:\n"
        "vldrb.8 q0, [r1], #16\n"
        "vldrb.8 q1, [r0], #16\n vmladava.s8 r4, q0, q1\n vldrb.8 q2, [r5], #16\n vmladava.s8 r6, q0, q2\n"
        "vldrb.8 q1, [r7], #16\n vmladava.s8 r8, q0, q1\n vldrb.8 q2, [r9], #16\n vmladava.s8 r10, q0, q2\n"
        "letp lr, 1b\n"
        "strd r4, r6, [r3]\n strd r8, r10, [r3, #8]\n"
        "pop {r4-r10, pc}\n");
}

EC_SPECIALIZED void ec_fully_connected_dot_mve(const ec_fully_connected_dot_s8_layer *layer, const int8_t *input,
                                               int8_t *output)
{
    /* Of fewer than four there is one row at a time, four times. */
    const int count = layer->outputs < 4 ? 1 : 4;
    int o;
    for (o = 0; o < layer->outputs; o += count) {
        /* The last four may begin among those already made. */
        const int first = o > layer->outputs - count ? layer->outputs - count : o;
        const mve_pred16_t there = vctp32q((uint32_t)count);
        int32_t sums[4];
        int32x4_t sum;
        sums[0] = count == 1 ? 0 : layer->inputs;
        ec_fully_connected_dot_mve_four(layer->weights + first * layer->inputs, input, layer->inputs, sums);
        sum = vaddq_s32(vldrwq_s32(sums), vldrwq_z_s32(layer->bias + first, there));
        if (layer->is_uniform) {
            sum = vqrdmulhq_n_s32(sum, layer->multiplier[0]);
            sum = vrshlq_n_s32(vaddq_s32(sum, vshrq_n_s32(sum, 31)), layer->shift[0]);
        } else {
            sum = vqrdmulhq_s32(sum, vldrwq_z_s32(layer->multiplier + first, there));
            sum = vrshlq_s32(vaddq_s32(sum, vshrq_n_s32(sum, 31)), vldrbq_z_s32(layer->shift + first, there));
        }
        sum = vaddq_n_s32(sum, layer->output_zero_point);
        sum = vminq_s32(vmaxq_s32(sum, vdupq_n_s32(layer->lowest)), vdupq_n_s32(layer->highest));
        vstrbq_p_s32(output + first, sum, there);
    }
}

#endif /* EC_FULLY_CONNECTED_DOT_MVE_H_ */
