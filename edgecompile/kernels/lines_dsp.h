/* Products with paired weights on lines, for cores with DSP instructions (Armv7E-M, Armv8-M): what lines.h does in C.
 *
 * For sixteen products: one load of weights, two of pixels, one SXTB16, eight SMLAD (pairs_dsp.h). S - E is 256 times
 * the odd channel's sum: with its offset there from the beginning, SMMLAR gives the line at once. The even channel's
 * sum is taken times 256 where its offset is added. SSAT shifts and cuts. Nothing here allocates.
 */
#ifndef EC_LINES_DSP_H_
#define EC_LINES_DSP_H_

#define EC_LINES_DSP_OUTPUT(x, slope, shift)                                                                            \
    "smmlar " x ", " x ", " slope ", lr\n ssat " x ", #8, " x ", asr #" shift "\n"

/* The first sixteen products: E begins with them, S with the offset, which is in r11. */
#define EC_LINES_DSP_FIRST                                                                                             \
    "ldr r12, [r1], #4\n ldrd r2, r3, [r0], #8\n sxtb16 lr, r12\n"                                                     \
    "smlad r8, r12, r2, r11\n smuad r4, lr, r2\n smlad r9, r12, r3, r11\n smuad r5, lr, r3\n"                         \
    "ldrd r2, r3, [r0], #8\n"                                                                                          \
    "smlad r10, r12, r2, r11\n smuad r6, lr, r2\n smlad r11, r12, r3, r11\n smuad r7, lr, r3\n"

/* On the stack: the work's place, then the work up to `step_3`, its weights, lines and output moving on. */
#define EC_LINES_DSP_RUN(name, shift)                                                                                  \
    __attribute__((naked, noinline, unused)) static void name(const ec_lines_work *work __attribute__((unused)))       \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            "push {r4-r11, lr}\n"                                                                                      \
            "ldm r0, {r1-r11}\n"                                                                                       \
            "push {r0-r11}\n"                                                                                          \
            "adr.w r12, 2f\n"                                                                                          \
            "add r12, r12, r6\n"                                                                                       \
            "orr r12, r12, #1\n"                                                                                       \
            "str r12, [sp, #24]\n"                                                                                     \
            "1:\n" /* two channels */                                                                                  \
            "ldrd r0, r12, [sp, #8]\n"                                                                                 \
            "ldr r11, [r12, #12]\n"                                                                                    \
            EC_LINES_DSP_FIRST                                                                                         \
            "ldr pc, [sp, #24]\n"                                                                                      \
            ".balign 4\n"                                                                                              \
            "2:\n" /* four groups of four inputs */                                                                    \
            ".rept 8\n" EC_PAIRS_DSP_SIXTEEN ".endr\n"                                                                 \
            "ldr r2, [sp, #28]\n"                                                                                      \
            "cmp r0, r2\n"                                                                                             \
            "bne.w 2b\n"                                                                                               \
            "ldr r0, [sp, #12]\n"                                                                                      \
            "ldm r0!, {r2, r3, r12, lr}\n"                                                                             \
            "str r0, [sp, #12]\n"                                                                                      \
            "ldr lr, [sp, #20]\n"                                                                                      \
            "sub r8, r8, r4\n sub r9, r9, r5\n sub r10, r10, r6\n sub r11, r11, r7\n"                                  \
            "add r4, r2, r4, lsl #8\n add r5, r2, r5, lsl #8\n add r6, r2, r6, lsl #8\n add r7, r2, r7, lsl #8\n"      \
            EC_LINES_DSP_OUTPUT("r4", "r3", shift) EC_LINES_DSP_OUTPUT("r5", "r3", shift)                              \
            EC_LINES_DSP_OUTPUT("r6", "r3", shift) EC_LINES_DSP_OUTPUT("r7", "r3", shift)                              \
            EC_LINES_DSP_OUTPUT("r8", "r12", shift) EC_LINES_DSP_OUTPUT("r9", "r12", shift)                            \
            EC_LINES_DSP_OUTPUT("r10", "r12", shift) EC_LINES_DSP_OUTPUT("r11", "r12", shift)                          \
            "ldr r2, [sp, #32]\n"                                                                                      \
            "cmp r1, r2\n"                                                                                             \
            "ldr r0, [sp, #16]\n"                                                                                      \
            "ldrd r2, r3, [sp, #36]\n"                                                                                 \
            "ldr r12, [sp, #44]\n"                                                                                     \
            "beq 3f\n"                                                                                                 \
            "bfi r4, r8, #8, #8\n bfi r5, r9, #8, #8\n bfi r6, r10, #8, #8\n bfi r7, r11, #8, #8\n"                    \
            "strh r4, [r0], #2\n strh r5, [r0, r2]\n strh r6, [r0, r3]\n strh r7, [r0, r12]\n"                         \
            "str r0, [sp, #16]\n"                                                                                      \
            "b 1b\n"                                                                                                   \
            "3:\n" /* the last two, or the last one */                                                                 \
            "ldr lr, [sp]\n"                                                                                           \
            "ldr lr, [lr, #44]\n"                                                                                      \
            "strb r4, [r0], #2\n strb r5, [r0, r2]\n strb r6, [r0, r3]\n strb r7, [r0, r12]\n"                         \
            "cmp lr, #0\n"                                                                                             \
            "bne 4f\n"                                                                                                 \
            "add r0, r0, #1\n"                                                                                         \
            "strb r8, [r0, #-2]\n strb r9, [r0, r2]\n strb r10, [r0, r3]\n strb r11, [r0, r12]\n"                      \
            "4:\n"                                                                                                     \
            "add sp, sp, #48\n"                                                                                        \
            "pop {r4-r11, pc}\n");                                                                                     \
    }
EC_LINES_DSP_RUN(ec_lines_dsp_run_9, "9")
EC_LINES_DSP_RUN(ec_lines_dsp_run_12, "12")
EC_LINES_DSP_RUN(ec_lines_dsp_run_15, "15")

#endif /* EC_LINES_DSP_H_ */
