/* Rows of unpacked weights times blocks of pixels on cores with DSP instructions: what rows.h does in C.
 *
 * For sixteen products: one load of two words of weights, two of pixels, eight SMLAD; a list takes one addition more.
 * Sums are scaled as in pairs_dsp.h, where the caller has made sure that they are small (is_plain), or on lines
 * (lines.h). Nothing here allocates.
 */
#ifndef EC_ROWS_DSP_H_
#define EC_ROWS_DSP_H_

/* What the assembly reads and advances; offsets of the fields are written out there. */
typedef struct {
    const uint32_t *row;      /* 0 */
    const int16_t *pixels;    /* 4 */
    uint32_t skipped;         /* 8: bytes of code to skip in the first turn; then, where to begin */
    const uint32_t *end;      /* 12: of the row */
    ec_rows_place *place;     /* 16 */
    ec_rows_place *last;      /* 20: behind the places */
    const int32_t *channels;  /* 24: or lines */
    const int8_t *shift;      /* 28 */
    int32_t twice_zero_point; /* 32: 2 * zero point + 1, or the lines' base */
    int32_t block;            /* 36: bytes from one block's pixels to the next */
    int32_t has_odd;          /* 40 */
} ec_rows_dsp_work;

/* Eight products each of the even (r4-r7) and the odd channel (r8-r11). */
#define EC_ROWS_DSP_HALF(a, b, c, d)                                                                                   \
    "smlad " a ", r12, r2, " a "\n smlad " c ", lr, r2, " c "\n"                                                       \
    "smlad " b ", r12, r3, " b "\n smlad " d ", lr, r3, " d "\n"
/* 44 and 48 bytes of code. */
#define EC_ROWS_DSP_WHOLE                                                                                              \
    "ldrd r12, lr, [r1], #8\n ldrd r2, r3, [r0], #8\n" EC_ROWS_DSP_HALF("r4", "r5", "r8", "r9")                        \
    "ldrd r2, r3, [r0], #8\n" EC_ROWS_DSP_HALF("r6", "r7", "r10", "r11")
#define EC_ROWS_DSP_LISTED                                                                                             \
    "ldm.w r1!, {r2, r12, lr}\n add.w r0, r0, r2, lsl #4\n"                                                            \
    "ldrd r2, r3, [r0]\n" EC_ROWS_DSP_HALF("r4", "r5", "r8", "r9")                                                     \
    "ldrd r2, r3, [r0, #8]\n" EC_ROWS_DSP_HALF("r6", "r7", "r10", "r11")
#define EC_ROWS_DSP_WHOLE_BYTES 44u
#define EC_ROWS_DSP_LISTED_BYTES 48u
#define EC_ROWS_DSP_TURN 8

/* Of the channel at `n`, even or odd: r2 multiplier, r1 shift, r3 half and zero point; r12 is the work. */
#define EC_ROWS_DSP_CONSTANTS(multiplier, n)                                                                           \
    "ldrd r2, r1, [r12, #24]\n ldr r3, [r12, #32]\n"                                                                   \
    "ldr r2, [r2, #" multiplier "]\n ldrsb r1, [r1, #" n "]\n"                                                         \
    "lsl r3, r3, r1\n asr r3, r3, #1\n"
#define EC_ROWS_DSP_OUTPUT(x)                                                                                          \
    "lsl " x ", " x ", #1\n smmulr " x ", " x ", r2\n add " x ", " x ", " x ", asr #31\n add " x ", " x ", r3\n"       \
    "asr " x ", " x ", r1\n ssat " x ", #8, " x "\n"

/* Sums begin with the bias, and are scaled one channel after the other; r12 is the work. Of whole rows the first entry
 * is multiplied at once, so that nothing is moved.
 */
#define EC_ROWS_DSP_PLAIN_BEGIN                                                                                        \
    EC_ROWS_DSP_BIAS "mov r5, r4\n mov r6, r4\n mov r7, r4\n mov r9, r8\n mov r10, r8\n mov r11, r8\n"
#define EC_ROWS_DSP_BIAS "ldr r2, [r12, #24]\n ldr r4, [r2]\n ldr r8, [r2, #8]\n"
#define EC_ROWS_DSP_PLAIN_FIRST                                                                                        \
    EC_ROWS_DSP_BIAS "ldrd r12, lr, [r1], #8\n ldrd r2, r3, [r0, #8]\n"                                                \
    "smlad r6, r12, r2, r4\n smlad r10, lr, r2, r8\n smlad r7, r12, r3, r4\n smlad r11, lr, r3, r8\n"                  \
    "ldrd r2, r3, [r0], #16\n"                                                                                         \
    "smlad r5, r12, r3, r4\n smlad r9, lr, r3, r8\n smlad r4, r12, r2, r4\n smlad r8, lr, r2, r8\n"
#define EC_ROWS_DSP_PLAIN_EVEN                                                                                         \
    EC_ROWS_DSP_CONSTANTS("4", "0")                                                                                    \
    EC_ROWS_DSP_OUTPUT("r4") EC_ROWS_DSP_OUTPUT("r5") EC_ROWS_DSP_OUTPUT("r6") EC_ROWS_DSP_OUTPUT("r7")
#define EC_ROWS_DSP_PLAIN_ODD                                                                                          \
    EC_ROWS_DSP_CONSTANTS("12", "1")                                                                                   \
    EC_ROWS_DSP_OUTPUT("r8") EC_ROWS_DSP_OUTPUT("r9") EC_ROWS_DSP_OUTPUT("r10") EC_ROWS_DSP_OUTPUT("r11")

/* Sums begin with 0, and get offsets, slopes and base when they are there. */
#define EC_ROWS_DSP_LINES_BEGIN                                                                                        \
    "movs r4, #0\n movs r5, #0\n movs r6, #0\n movs r7, #0\n"                                                          \
    "mov r8, #0\n mov r9, #0\n mov r10, #0\n mov r11, #0\n"
#define EC_ROWS_DSP_LINES_FIRST                                                                                        \
    "ldrd r12, lr, [r1], #8\n ldrd r2, r3, [r0], #8\n"                                                                 \
    "smuad r4, r12, r2\n smuad r8, lr, r2\n smuad r5, r12, r3\n smuad r9, lr, r3\n"                                    \
    "ldrd r2, r3, [r0], #8\n"                                                                                          \
    "smuad r6, r12, r2\n smuad r10, lr, r2\n smuad r7, r12, r3\n smuad r11, lr, r3\n"
#define EC_ROWS_DSP_ON_LINE(x, offset, slope, shift)                                                                   \
    "add " x ", " offset ", " x ", lsl #8\n smmlar " x ", " x ", " slope ", lr\n ssat " x ", #8, " x ", asr #" shift "\n"
#define EC_ROWS_DSP_LINES_EVEN(shift)                                                                                  \
    "ldr r2, [r12, #24]\n ldm r2, {r0, r1, r2, r3}\n ldr lr, [r12, #32]\n"                                             \
    EC_ROWS_DSP_ON_LINE("r4", "r0", "r1", shift) EC_ROWS_DSP_ON_LINE("r5", "r0", "r1", shift)                          \
    EC_ROWS_DSP_ON_LINE("r6", "r0", "r1", shift) EC_ROWS_DSP_ON_LINE("r7", "r0", "r1", shift)                          \
    EC_ROWS_DSP_ON_LINE("r8", "r3", "r2", shift) EC_ROWS_DSP_ON_LINE("r9", "r3", "r2", shift)                          \
    EC_ROWS_DSP_ON_LINE("r10", "r3", "r2", shift) EC_ROWS_DSP_ON_LINE("r11", "r3", "r2", shift)

#define EC_ROWS_DSP_RUN(name, entry, begin, even, odd)                                                                 \
    __attribute__((naked, noinline, unused)) static void name(ec_rows_dsp_work *work __attribute__((unused)))          \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            "push {r4-r11, lr}\n"                                                                                      \
            "ldr r1, [r0, #12]\n"                                                                                      \
            "push {r0, r1}\n"                                                                                          \
            "ldr r1, [r0, #8]\n"                                                                                       \
            "adr.w r2, 2f\n"                                                                                           \
            "add r1, r1, r2\n"                                                                                         \
            "orr r1, r1, #1\n"                                                                                         \
            "str r1, [r0, #8]\n"                                                                                       \
            "mov r12, r0\n"                                                                                            \
            "1:\n" /* four pixels */                                                                                   \
            "ldrd r1, r0, [r12]\n"                                                                                     \
            begin                                                                                                      \
            "ldr r12, [sp]\n"                                                                                          \
            "ldr pc, [r12, #8]\n"                                                                                      \
            ".balign 4\n"                                                                                              \
            "2:\n"                                                                                                     \
            ".rept 8\n" entry ".endr\n"                                                                                \
            "ldr r2, [sp, #4]\n"                                                                                       \
            "cmp r1, r2\n"                                                                                             \
            "bne.w 2b\n"                                                                                               \
            "ldr r12, [sp]\n"                                                                                          \
            even                                                                                                       \
            "ldr lr, [r12, #16]\n"                                                                                     \
            "ldm lr, {r0, r1, r2}\n"                                                                                   \
            "strb r4, [r0]\n strb r5, [r0, r1]\n"                                                                      \
            "add r1, r0, r1\n"                                                                                         \
            "strb r6, [r0, r2]\n strb r7, [r1, r2]\n"                                                                  \
            "ldr r3, [r12, #40]\n"                                                                                     \
            "add r0, r0, #2\n"                                                                                         \
            "cmp r3, #0\n"                                                                                             \
            "beq 3f\n"                                                                                                 \
            odd                                                                                                        \
            "ldm lr, {r0, r1, r2}\n"                                                                                   \
            "strb r8, [r0, #1]!\n strb r9, [r0, r1]\n"                                                                 \
            "add r1, r0, r1\n"                                                                                         \
            "strb r10, [r0, r2]\n strb r11, [r1, r2]\n"                                                                \
            "add r0, r0, #1\n"                                                                                         \
            "3:\n"                                                                                                     \
            "str r0, [lr], #12\n"                                                                                      \
            "ldr r0, [r12, #4]\n ldr r1, [r12, #36]\n"                                                                 \
            "add r0, r0, r1\n"                                                                                         \
            "str r0, [r12, #4]\n"                                                                                      \
            "str lr, [r12, #16]\n"                                                                                     \
            "ldr r3, [r12, #20]\n"                                                                                     \
            "cmp lr, r3\n"                                                                                             \
            "bne.w 1b\n"                                                                                               \
            "add sp, sp, #8\n"                                                                                         \
            "pop {r4-r11, pc}\n");                                                                                     \
    }
/* Four bytes in `high`: the first two into `low`, the last two into `high`. */
#define EC_ROWS_DSP_SPREAD(low, high)                                                                                  \
    "sxtb16 " low ", " high "\n sxtb16 lr, " high ", ror #8\n"                                                         \
    "pkhtb " high ", lr, " low ", asr #16\n pkhbt " low ", " low ", lr, lsl #16\n"

#define EC_ROWS_DSP_RUNS(name, entry, plain, lines)                                                                    \
    EC_ROWS_DSP_RUN(name, entry, plain, EC_ROWS_DSP_PLAIN_EVEN, EC_ROWS_DSP_PLAIN_ODD)                                 \
    EC_ROWS_DSP_RUN(name##_9, entry, lines, EC_ROWS_DSP_LINES_EVEN("9"), "")                                           \
    EC_ROWS_DSP_RUN(name##_12, entry, lines, EC_ROWS_DSP_LINES_EVEN("12"), "")                                         \
    EC_ROWS_DSP_RUN(name##_15, entry, lines, EC_ROWS_DSP_LINES_EVEN("15"), "")
EC_ROWS_DSP_RUNS(ec_rows_dsp_run_whole, EC_ROWS_DSP_WHOLE, EC_ROWS_DSP_PLAIN_FIRST, EC_ROWS_DSP_LINES_FIRST)
EC_ROWS_DSP_RUNS(ec_rows_dsp_run_listed, EC_ROWS_DSP_LISTED, EC_ROWS_DSP_PLAIN_BEGIN, EC_ROWS_DSP_LINES_BEGIN)

/* Bytes of four pixels, at any address, as int16 into `to` until it is at `end`: four of each pixel in a turn. */
__attribute__((naked, noinline, unused)) static void ec_rows_dsp_spread(
    const int8_t *p0 __attribute__((unused)), const int8_t *p1 __attribute__((unused)),
    const int8_t *p2 __attribute__((unused)), const int8_t *p3 __attribute__((unused)),
    int16_t *to __attribute__((unused)), const int16_t *end __attribute__((unused)))
{
    __asm__ volatile(
        "push {r4-r11, lr}\n"
        "ldr r12, [sp, #36]\n"
        "b 2f\n"
        "1:\n"
        "ldr r8, [r0], #4\n ldr r9, [r1], #4\n ldr r10, [r2], #4\n ldr r11, [r3], #4\n"
        EC_ROWS_DSP_SPREAD("r4", "r8") EC_ROWS_DSP_SPREAD("r5", "r9")
        EC_ROWS_DSP_SPREAD("r6", "r10") EC_ROWS_DSP_SPREAD("r7", "r11")
        "stm r12!, {r4-r11}\n"
        "2:\n"
        "ldr r4, [sp, #40]\n"
        "cmp r12, r4\n"
        "bne 1b\n"
        "pop {r4-r11, pc}\n");
}

EC_SPECIALIZED void ec_rows_dsp_run(const ec_pairs_scaling *scaling, int is_list, ec_rows_dsp_work *work)
{
    if (scaling->line_shift == 0) {
        (is_list ? ec_rows_dsp_run_listed : ec_rows_dsp_run_whole)(work);
    } else if (scaling->line_shift == 9) {
        (is_list ? ec_rows_dsp_run_listed_9 : ec_rows_dsp_run_whole_9)(work);
    } else if (scaling->line_shift == 12) {
        (is_list ? ec_rows_dsp_run_listed_12 : ec_rows_dsp_run_whole_12)(work);
    } else {
        (is_list ? ec_rows_dsp_run_listed_15 : ec_rows_dsp_run_whole_15)(work);
    }
}

EC_SPECIALIZED void ec_rows_times_blocks_dsp(const uint32_t *row, const uint32_t *end, int is_list,
                                             const int16_t *pixels, int block, ec_rows_place *places, int count,
                                             const ec_pairs_scaling *scaling, int channel, int channels)
{
    /* Of a whole row the first entry is multiplied before the turns; all of one may be left out, but for no list. */
    const unsigned entries = (unsigned)(end - row) / (is_list ? 3u : 2u), before = is_list ? 0u : 1u;
    const unsigned idle = entries == before ? before * EC_ROWS_DSP_TURN : (before - entries) % EC_ROWS_DSP_TURN;
    ec_rows_dsp_work work;
    work.row = row;
    work.pixels = pixels;
    work.skipped = idle * (is_list ? EC_ROWS_DSP_LISTED_BYTES : EC_ROWS_DSP_WHOLE_BYTES);
    work.end = end;
    work.place = places;
    work.last = places + count;
    work.channels = scaling->line_shift ? scaling->lines + 2 * channel : scaling->channels + 2 * channel;
    work.shift = scaling->right_shift + channel;
    work.twice_zero_point = scaling->line_shift ? scaling->base : 2 * scaling->zero_point + 1;
    work.block = block * 2;
    work.has_odd = channel + 1 < channels;
    ec_rows_dsp_run(scaling, is_list, &work);
    if (scaling->lowest > -128 || scaling->highest < 127) {
        int i;
        for (; count > 0; --count, ++places) {
            for (i = 0; i < 4; ++i) {
                int8_t *const to = places->output - 2 + (i % 2) * places->step_1 + (i / 2) * places->step_2;
                to[0] = ec_narrow(to[0], scaling->lowest, scaling->highest);
                if (channel + 1 < channels) to[1] = ec_narrow(to[1], scaling->lowest, scaling->highest);
            }
        }
    }
}

#endif /* EC_ROWS_DSP_H_ */
