/* Products with paired weights on cores with DSP instructions (Armv7E-M, Armv8-M): what pairs.h does in C.
 *
 * For sixteen products: one load of weights, two of pixels, one SXTB16, eight SMLAD. With v = a + 256 * b the sums
 * S = sum(x * v) and E = sum(x * a) give 256 * sum(x * b) = S - E, modulo 2^32. A sum x is scaled as the reference
 * does it, rounding twice: SMMULR(2 * x, m) is (x * m) / 2^31 with halves upwards; adding its sign and half of
 * 2^shift, then shifting, rounds halves away from zero. The zero point is added, shifted, together with the half.
 * The caller has made sure that no sum leaves the range for this (is_plain). Nothing here allocates.
 */
#ifndef EC_PAIRS_DSP_H_
#define EC_PAIRS_DSP_H_

/* Bytes of four pixels, at any address, as int16 into `to` until it is at `end`: four of each pixel in a turn. */
__attribute__((naked, noinline, unused)) static void ec_pairs_dsp_spread(
    const int8_t *p0 __attribute__((unused)), const int8_t *p1 __attribute__((unused)),
    const int8_t *p2 __attribute__((unused)), const int8_t *p3 __attribute__((unused)),
    int16_t *to __attribute__((unused)), const int16_t *end __attribute__((unused)))
{
    __asm__ volatile(
        "push {r4-r11, lr}\n"
        "ldrd r12, lr, [sp, #36]\n"
        "cmp r12, lr\n"
        "beq 2f\n"
        "1:\n"
        "ldr r4, [r0], #4\n ldr r5, [r1], #4\n ldr r6, [r2], #4\n ldr r7, [r3], #4\n"
        "sxtb16 r8, r4, ror #8\n sxtb16 r9, r5, ror #8\n sxtb16 r10, r6, ror #8\n sxtb16 r11, r7, ror #8\n"
        "sxtb16 r4, r4\n sxtb16 r5, r5\n sxtb16 r6, r6\n sxtb16 r7, r7\n"
        "stm r12!, {r4-r11}\n"
        "cmp r12, lr\n"
        "bne 1b\n"
        "2:\n"
        "pop {r4-r11, pc}\n");
}

/* What the assembly reads and advances; offsets of the fields are written out there. */
typedef struct {
    const int16_t *weights;   /* 0 */
    const int16_t *pixels;    /* 4 */
    const int32_t *channels;  /* 8 */
    uint32_t skipped;         /* 12: bytes of code to skip in the first turn of four groups */
    int8_t *output;           /* 16 */
    const int8_t *shift;      /* 20 */
    int32_t twice_zero_point; /* 24: 2 * zero point + 1 */
    int32_t step_1, step_2;   /* 28, 32 */
    int32_t left;             /* 36: channels */
    const int16_t *end;       /* 40: of the pixels */
} ec_pairs_dsp_work;

/* Sixteen products of two channels, 48 bytes of code: r4-r7 are E of four pixels, r8-r11 S. */
#define EC_PAIRS_DSP_SIXTEEN                                                                                           \
    "ldr r12, [r1], #4\n ldrd r2, r3, [r0], #8\n sxtb16 lr, r12\n"                                                  \
    "smlad r8, r12, r2, r8\n smlad r4, lr, r2, r4\n smlad r9, r12, r3, r9\n smlad r5, lr, r3, r5\n"                   \
    "ldrd r2, r3, [r0], #8\n"                                                                                         \
    "smlad r10, r12, r2, r10\n smlad r6, lr, r2, r6\n smlad r11, r12, r3, r11\n smlad r7, lr, r3, r7\n"
/* A doubled sum in `x` to int8: r2 multiplier, r3 half and zero point, r1 shift. */
#define EC_PAIRS_DSP_OUTPUT(x)                                                                                          \
    "smmulr " x ", " x ", r2\n add " x ", " x ", " x ", asr #31\n add " x ", " x ", r3\n"                              \
    "asr " x ", " x ", r1\n ssat " x ", #8, " x "\n"

__attribute__((naked, noinline, unused)) static void ec_pairs_dsp_run(ec_pairs_dsp_work *work __attribute__((unused)))
{
    __asm__ volatile(
        "push {r4-r11, lr}\n"
        "ldr r1, [r0, #40]\n"
        "push {r0, r1}\n"
        "1:\n" /* two channels */
        "ldr r12, [sp]\n"
        "ldrd r1, r0, [r12]\n"
        "ldrd r2, r3, [r12, #8]\n"
        "ldr r4, [r2]\n"
        "mov r5, r4\n mov r6, r4\n mov r7, r4\n mov r8, r4\n mov r9, r4\n mov r10, r4\n mov r11, r4\n"
        "adr.w r12, 2f\n"
        "add r12, r12, r3\n"
        "orr r12, r12, #1\n"
        "bx r12\n"
        ".balign 4\n"
        "2:\n" /* four groups of four inputs */
        ".rept 8\n"
        EC_PAIRS_DSP_SIXTEEN
        ".endr\n"
        "ldr r2, [sp, #4]\n"
        "cmp r0, r2\n"
        "bne.w 2b\n"
        "ldr r12, [sp]\n"
        "str r1, [r12]\n"
        "ldr r0, [r12, #8]\n"
        "ldrd r2, r3, [r0, #4]\n" /* even multiplier, odd bias */
        "lsl r3, r3, #1\n"
        "sub r8, r8, r4\n sub r9, r9, r5\n sub r10, r10, r6\n sub r11, r11, r7\n"
        "add r8, r3, r8, asr #7\n add r9, r3, r9, asr #7\n add r10, r3, r10, asr #7\n add r11, r3, r11, asr #7\n"
        "ldrd r0, lr, [r12, #16]\n"
        "ldrsb r1, [lr]\n"
        "ldrd r3, lr, [r12, #24]\n"
        "ldr r12, [r12, #32]\n"
        "lsl r3, r3, r1\n"
        "asr r3, r3, #1\n"
        "lsl r4, r4, #1\n lsl r5, r5, #1\n lsl r6, r6, #1\n lsl r7, r7, #1\n"
        EC_PAIRS_DSP_OUTPUT("r4") EC_PAIRS_DSP_OUTPUT("r5") EC_PAIRS_DSP_OUTPUT("r6") EC_PAIRS_DSP_OUTPUT("r7")
        "strb r4, [r0]\n"
        "strb r5, [r0, lr]\n"
        "add r5, r0, lr\n"
        "strb r6, [r0, r12]\n"
        "strb r7, [r5, r12]\n"
        "ldr r4, [sp]\n"
        "ldr r5, [r4, #36]\n"
        "subs r5, r5, #2\n"
        "str r5, [r4, #36]\n"
        "blt 3f\n" /* there is no odd channel */
        "ldr r6, [r4, #8]\n"
        "ldr r2, [r6, #12]\n"
        "add r6, r6, #16\n"
        "str r6, [r4, #8]\n"
        "ldrd r6, r3, [r4, #20]\n"
        "ldrsb r1, [r6, #1]\n"
        "add r6, r6, #2\n"
        "str r6, [r4, #20]\n"
        "lsl r3, r3, r1\n"
        "asr r3, r3, #1\n"
        EC_PAIRS_DSP_OUTPUT("r8") EC_PAIRS_DSP_OUTPUT("r9") EC_PAIRS_DSP_OUTPUT("r10") EC_PAIRS_DSP_OUTPUT("r11")
        "strb r8, [r0, #1]!\n"
        "strb r9, [r0, lr]\n"
        "add r9, r0, lr\n"
        "strb r10, [r0, r12]\n"
        "strb r11, [r9, r12]\n"
        "add r0, r0, #1\n"
        "str r0, [r4, #16]\n"
        "cmp r5, #0\n"
        "bgt.w 1b\n"
        "3:\n"
        "add sp, sp, #8\n"
        "pop {r4-r11, pc}\n");
}

EC_SPECIALIZED void ec_pairs_times_four_dsp(const int16_t *weights, const int16_t *pixels, int groups, int channels,
                                            const ec_pairs_scaling *scaling, int8_t *output, int step_1, int step_2)
{
    ec_pairs_dsp_work work;
    work.weights = weights;
    work.pixels = pixels;
    work.channels = scaling->channels;
    work.skipped = (uint32_t)((4 - groups % 4) % 4) * 96u;
    work.output = output;
    work.shift = scaling->right_shift;
    work.twice_zero_point = 2 * scaling->zero_point + 1;
    work.step_1 = step_1;
    work.step_2 = step_2;
    work.left = channels;
    work.end = pixels + groups * 16;
    ec_pairs_dsp_run(&work);
    if (scaling->lowest > -128 || scaling->highest < 127) {
        int i, channel;
        for (i = 0; i < 4; ++i) {
            int8_t *const to = output + (i % 2) * step_1 + (i / 2) * step_2;
            for (channel = 0; channel < channels; ++channel) {
                to[channel] = ec_narrow(to[channel], scaling->lowest, scaling->highest);
            }
        }
    }
}

/* Groups of four inputs, `count` in a turn, until `input` is at `limit`. */
#define EC_PAIRS_DSP_TURNS(count, limit)                                                                                \
    if (input != limit) {                                                                                              \
        __asm__("1:\n .rept " #count "\n"                                                                              \
                "ldr %[y], [%[input]], #4\n ldrd %[v], %[w], [%[weights]], #8\n"                                       \
                "sxtb16 %[x], %[y]\n sxtb16 %[y], %[y], ror #8\n"                                                      \
                "smlad %[s0], %[v], %[x], %[s0]\n sxtb16 %[v], %[v]\n"                                                 \
                "smlad %[s0], %[w], %[y], %[s0]\n sxtb16 %[w], %[w]\n"                                                 \
                "smlad %[e0], %[v], %[x], %[e0]\n smlad %[e0], %[w], %[y], %[e0]\n"                                    \
                "ldrd %[v], %[w], [%[weights]], #8\n"                                                                  \
                "smlad %[s1], %[v], %[x], %[s1]\n sxtb16 %[v], %[v]\n"                                                 \
                "smlad %[s1], %[w], %[y], %[s1]\n sxtb16 %[w], %[w]\n"                                                 \
                "smlad %[e1], %[v], %[x], %[e1]\n smlad %[e1], %[w], %[y], %[e1]\n"                                    \
                ".endr\n cmp %[input], %[end]\n bne.w 1b\n"                                                            \
                : [weights] "+r"(weights), [input] "+r"(input), [e0] "+r"(e0), [e1] "+r"(e1), [s0] "+r"(s0),           \
                  [s1] "+r"(s1), [x] "=&r"(x), [y] "=&r"(y), [v] "=&r"(v), [w] "=&r"(w)                                \
                : [end] "r"(limit)                                                                                     \
                : "cc", "memory");                                                                                     \
    }

/* Sums of four outputs over groups >= 1 of four inputs, added to what is there; weights as in fully_connected_s8.h. The
 * input need not be aligned.
 */
EC_SPECIALIZED void ec_pairs_dsp_four_outputs(const int16_t *weights, const int8_t *input, int groups, int32_t *even,
                                              int32_t *odd)
{
    const int8_t *const whole = input + groups / 4 * 16, *const end = input + 4 * groups;
    int32_t e0 = 0, e1 = 0, s0 = 0, s1 = 0;
    uint32_t x, y, v, w;
    /* Four groups in a turn, then one by one. */
    EC_PAIRS_DSP_TURNS(4, whole)
    EC_PAIRS_DSP_TURNS(1, end)
    even[0] += e0;
    even[1] += e1;
    odd[0] += (s0 - e0) >> 8;
    odd[1] += (s1 - e1) >> 8;
}

#endif /* EC_PAIRS_DSP_H_ */
