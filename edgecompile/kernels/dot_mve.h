/* Dot products on cores with Helium (MVE, Armv8.1-M): what dot.h does in C.
 *
 * For 128 products: two loads of weights, four of pixels, eight VMLADAVA. Sums of four pixels become a vector. They
 * are scaled as the reference does it, rounding twice: VQRDMULH is (x * m) / 2^31 with halves upwards; adding the sign
 * before VRSHL rounds halves away from zero. The caller has made sure that no sum leaves the range for this (is_plain).
 * Instructions are few; most take two cycles on a Cortex-M55. Nothing here allocates.
 */
#ifndef EC_DOT_MVE_H_
#define EC_DOT_MVE_H_

#include <arm_mve.h>

/* What the assembly reads; offsets of the fields are written out there. */
typedef struct {
    const int8_t *weights, *second; /* 0, 4: rows of the first two channels */
    const int8_t *pixels, *end;     /* 8, 12 */
    uint32_t skipped;               /* 16: bytes of code to skip in the first turn of eight chunks */
    int32_t forward;                /* 20: from where a row was left to the next of the same half */
    const int8_t *limit;            /* 24: where weights of the first half end */
    int8_t *output;                 /* 28 */
    const int32_t *pairs;           /* 32 */
    int32_t zero_point;             /* 36 */
    uint16_t places[8];             /* 40: of two channels of each pixel, from output */
    uint32_t entry;                 /* 56: where the first turn of eight chunks begins */
} ec_dot_mve_work;

/* 128 products, 56 bytes of code; r0, r2, r4, r6 are sums of the first channel, r8, r10, r12, lr of the second. */
#define EC_DOT_MVE_CHUNK(multiply)                                                                                      \
    "vldrb.8 q0, [r1], #16\n vldrb.8 q1, [r3], #16\n"                                                                  \
    "vldrb.8 q2, [r5], #16\n " multiply ".s8 r0, q0, q2\n " multiply ".s8 r8, q1, q2\n"                                \
    "vldrb.8 q3, [r5], #16\n " multiply ".s8 r2, q0, q3\n " multiply ".s8 r10, q1, q3\n"                               \
    "vldrb.8 q2, [r5], #16\n " multiply ".s8 r4, q0, q2\n " multiply ".s8 r12, q1, q2\n"                               \
    "vldrb.8 q3, [r5], #16\n " multiply ".s8 r6, q0, q3\n " multiply ".s8 lr, q1, q3\n"
/* Halves of negative numbers away from zero. */
#define EC_DOT_MVE_SIGNS                                                                                               \
    "vshr.s32 q2, q0, #31\n vshr.s32 q3, q1, #31\n vadd.i32 q0, q0, q2\n vadd.i32 q1, q1, q3\n"

#define EC_DOT_MVE_RUN(name, signs)                                                                                    \
    __attribute__((naked, noinline, unused)) static void name(ec_dot_mve_work *work __attribute__((unused)))           \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            "push {r4-r11, lr}\n"                                                                                      \
            "vpush {d8-d15}\n"                                                                                         \
            "mov r9, r0\n"                                                                                             \
            "ldrd r1, r3, [r9]\n"                                                                                      \
            "ldr r7, [r9, #12]\n"                                                                                      \
            "ldr r11, [r9, #32]\n"                                                                                     \
            "ldr r0, [r9, #36]\n"                                                                                      \
            "vdup.16 q7, r0\n"                                                                                         \
            "mov r0, #2\n"                                                                                             \
            "vdup.16 q6, r0\n"                                                                                         \
            "add r0, r9, #40\n"                                                                                        \
            "vldrh.16 q4, [r0]\n"                                                                                      \
            "adr.w r2, 2f\n"                                                                                           \
            "ldr r0, [r9, #16]\n"                                                                                      \
            "add r0, r0, r2\n"                                                                                         \
            "orr r0, r0, #1\n"                                                                                         \
            "str r0, [r9, #56]\n"                                                                                      \
            "1:\n" /* two channels */                                                                                  \
            "ldr r5, [r9, #8]\n"                                                                                       \
            EC_DOT_MVE_CHUNK("vmladav")                                                                                \
            "ldr pc, [r9, #56]\n"                                                                                      \
            ".balign 4\n"                                                                                              \
            "2:\n" /* eight chunks */                                                                                  \
            ".rept 8\n" EC_DOT_MVE_CHUNK("vmladava") ".endr\n"                                                         \
            "cmp r5, r7\n"                                                                                             \
            "bne.w 2b\n" /* six bytes with the comparison */                                                           \
            "vmov q0[2], q0[0], r0, r4\n vmov q0[3], q0[1], r2, r6\n"                                                  \
            "vmov q1[2], q1[0], r8, r12\n vmov q1[3], q1[1], r10, lr\n"                                                \
            "ldm r11!, {r0, r2, r4, r6, r8}\n"                                                                         \
            "vadd.i32 q0, q0, r0\n vadd.i32 q1, q1, r4\n"                                                              \
            "vqrdmulh.s32 q0, q0, r2\n vqrdmulh.s32 q1, q1, r6\n"                                                      \
            signs                                                                                                      \
            "lsr r10, r8, #8\n"                                                                                        \
            "vrshl.s32 q0, r8\n vrshl.s32 q1, r10\n"                                                                   \
            "ldrd r0, r2, [r9, #24]\n"                                                                                 \
            "vqmovnb.s32 q0, q0\n vqmovnt.s32 q0, q1\n"                                                                \
            "ldr r4, [r9, #20]\n"                                                                                      \
            "vqadd.s16 q0, q0, q7\n"                                                                                   \
            "add r3, r3, r4\n"                                                                                         \
            "vqmovnb.s16 q0, q0\n"                                                                                     \
            "add r1, r1, r4\n"                                                                                         \
            "vstrb.16 q0, [r2, q4]\n"                                                                                  \
            "cmp r1, r0\n"                                                                                             \
            "vadd.i16 q4, q4, q6\n"                                                                                    \
            "bne.w 1b\n"                                                                                               \
            "vpop {d8-d15}\n"                                                                                          \
            "pop {r4-r11, pc}\n");                                                                                     \
    }
EC_DOT_MVE_RUN(ec_dot_mve_run, EC_DOT_MVE_SIGNS)
EC_DOT_MVE_RUN(ec_dot_mve_run_positive, "")

/* What is the same for all blocks of four pixels. */
EC_SPECIALIZED void ec_dot_mve_begin(ec_dot_mve_work *work, const int8_t *weights, int row, const int8_t *pixels,
                                     const ec_dot_scaling *scaling)
{
    const int chunks = (row + EC_DOT_CHUNK - 1) / EC_DOT_CHUNK;
    work->pixels = pixels;
    work->end = pixels + chunks * EC_DOT_PIXELS * EC_DOT_CHUNK;
    /* Past the comparison and the branch behind the eight where the first chunk is the only one. */
    work->skipped = chunks == 1 ? 8 * 56 + 6 : (uint32_t)((8 - (chunks - 1) % 8) % 8) * 56u;
    work->forward = 2 * row - chunks * EC_DOT_CHUNK;
    work->zero_point = scaling->zero_point;
    work->weights = weights;
}

EC_SPECIALIZED void ec_dot_mve_places(ec_dot_mve_work *work, int step_1, int step_2)
{
    int i;
    EC_UNROLLED
    for (i = 0; i < 8; ++i) {
        work->places[i] = (uint16_t)((i / 2 % 2) * step_1 + (i / 4) * step_2 + i % 2);
    }
}

/* `turns` of two channels from the rows at `weights`. */
EC_SPECIALIZED void ec_dot_mve_turns(ec_dot_mve_work *work, const int8_t *weights, int row, int turns,
                                     const int32_t *pairs, int is_positive, int8_t *output)
{
    work->weights = weights;
    work->second = weights + row;
    work->limit = weights + 2 * turns * row;
    work->pairs = pairs;
    work->output = output;
    if (is_positive) {
        ec_dot_mve_run_positive(work);
    } else {
        ec_dot_mve_run(work);
    }
}

EC_SPECIALIZED void ec_dot_times_four_mve(ec_dot_mve_work *work, const int8_t *weights, int row, int channels,
                                          const ec_dot_scaling *scaling, int8_t *output, int step_1, int step_2)
{
    int i, channel;
    ec_dot_mve_turns(work, weights, row, channels / 2, scaling->pairs, scaling->is_positive, output);
    if (channels % 2 != 0) {
        /* The last two channels of an odd number, one of them again. */
        ec_dot_mve_turns(work, weights + (channels - 2) * row, row, 1, scaling->pairs + channels / 2 * 5,
                         scaling->is_positive, output + channels - 2);
    }
    if (scaling->lowest > -128 || scaling->highest < 127) {
        for (i = 0; i < EC_DOT_PIXELS; ++i) {
            int8_t *const to = output + (i % 2) * step_1 + (i / 2) * step_2;
            for (channel = 0; channel < channels; ++channel) {
                to[channel] = ec_narrow(to[channel], scaling->lowest, scaling->highest);
            }
        }
    }
}

#endif /* EC_DOT_MVE_H_ */
