/* Two pixels and four channels at once on cores with DSP instructions (Armv7E-M, Armv8-M): what conv_2d_few_s8.h does.
 *
 * For sixteen products: one LDRD of weights, one of pixels, two SXTB16, eight SMLAD. With v = a + 256 * b the sums
 * S = sum(x * v) and E = sum(x * a) give 256 * sum(x * b) = S - E, modulo 2^32. They become outputs on lines (lines.h):
 * by SMMLAR, which multiplies and adds, and SSAT, which shifts and cuts; or as in pairs_dsp.h, where no line is equal.
 * Nothing here allocates.
 */
#ifndef EC_CONV_2D_FEW_DSP_H_
#define EC_CONV_2D_FEW_DSP_H_

/* Runs of more bytes are not worth a kernel's own code. */
#define EC_CONV_2D_FEW_DSP_LONG 12

EC_SPECIALIZED uint32_t ec_conv_2d_few_dsp_load(const int8_t *from)
{
    uint32_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return word;
}

EC_SPECIALIZED void ec_conv_2d_few_dsp_store(uint32_t word, int16_t *to) { __builtin_memcpy(to, &word, sizeof word); }

/* Four bytes of each of two pixels as int16; gives the place behind them. */
EC_SPECIALIZED int16_t *ec_conv_2d_few_dsp_group(uint32_t first, uint32_t second, int16_t *to)
{
    __asm__ volatile("sxtb16 r4, %[first]\n sxtb16 r5, %[second]\n"
                     "sxtb16 r6, %[first], ror #8\n sxtb16 r8, %[second], ror #8\n"
                     "stmia %[to]!, {r4, r5, r6, r8}\n"
                     : [to] "+r"(to)
                     : [first] "r"(first), [second] "r"(second)
                     : "r4", "r5", "r6", "r8", "memory");
    return to;
}

/* Many fours of two pixels. */
EC_SHARED int16_t *ec_conv_2d_few_dsp_groups(const int8_t *first, const int8_t *second, int count, int16_t *to)
{
    int k;
    for (k = 0; k < count; k += 4) {
        to = ec_conv_2d_few_dsp_group(ec_conv_2d_few_dsp_load(first + k), ec_conv_2d_few_dsp_load(second + k), to);
    }
    return to;
}

/* Four bytes of one pixel as int16. */
EC_SPECIALIZED void ec_conv_2d_few_dsp_spread(uint32_t four, int16_t *to)
{
    uint32_t even, odd;
    __asm__("sxtb16 %0, %2\n sxtb16 %1, %2, ror #8\n" : "=&r"(even), "=r"(odd) : "r"(four));
    ec_conv_2d_few_dsp_store(even, to);
    ec_conv_2d_few_dsp_store(odd, to + 4);
}

/* Whether the windows of both pixels lie inside the input, in the same rows. */
EC_SPECIALIZED int ec_conv_2d_few_dsp_together(const ec_conv_2d_few_s8_layer *layer,
                                               const ec_conv_2d_few_s8_corner *corners)
{
    const int reach = (layer->kernel_w - 1) * layer->dilation_w + layer->stride_w;
    return corners[0].row == corners[1].row && corners[0].column + layer->stride_w == corners[1].column &&
           corners[0].row >= 0 && corners[0].row + (layer->kernel_h - 1) * layer->dilation_h < layer->in_h &&
           corners[0].column >= 0 && corners[0].column + reach < layer->in_w;
}

/* These, from the first one's corner in the input; the second's is `next` bytes on. */
EC_SPECIALIZED void ec_conv_2d_few_dsp_two(const ec_conv_2d_few_s8_layer *layer, const int8_t *corner, int next,
                                           int16_t *scratch)
{
    const int whole = layer->run / 4 * 4;
    int16_t *to = scratch;
    int rest = layer->kernel_h * layer->runs_w * whole;
    int y, x, k;
    EC_UNROLLED
    for (y = 0; y < layer->kernel_h; ++y) {
        const int8_t *from = corner + y * layer->dilation_h * layer->in_w * layer->in_c;
        for (x = 0; x < layer->runs_w; ++x, from += layer->dilation_w * layer->in_c) {
            if (whole > EC_CONV_2D_FEW_DSP_LONG) {
                to = ec_conv_2d_few_dsp_groups(from, from + next, whole, to);
            } else {
                EC_UNROLLED
                for (k = 0; k < whole; k += 4) {
                    to = ec_conv_2d_few_dsp_group(ec_conv_2d_few_dsp_load(from + k),
                                                  ec_conv_2d_few_dsp_load(from + next + k), to);
                }
            }
            EC_UNROLLED
            for (k = whole; k < layer->run; ++k, ++rest) {
                scratch[ec_conv_2d_few_s8_place(rest, 0)] = from[k];
                scratch[ec_conv_2d_few_s8_place(rest, 1)] = from[next + k];
            }
        }
    }
}

/* The bytes from `at` on, which may lie outside the rows, of `count` kernel rows; the first is `line`. Rows have four
 * bytes or more.
 */
EC_SPECIALIZED void ec_conv_2d_few_dsp_words(const ec_conv_2d_few_s8_layer *layer, const int8_t *line, int at,
                                             int count, int16_t *to, int step)
{
    const uint32_t zero = (uint32_t)(uint8_t)layer->input_zero_point * 0x01010101u;
    const int length = layer->in_w * layer->in_c;
    const int before = at < 0 ? -8 * at : 0, behind = at + 4 > length ? 8 * (at + 4 - length) : 0;
    const uint32_t fill = before ? zero >> (32 - before) : behind ? zero << (32 - behind) : 0;
    const int8_t *from = line + (at < 0 ? 0 : behind ? length - 4 : at);
    for (; count > 0; --count, from += layer->dilation_h * length, to += step) {
        ec_conv_2d_few_dsp_spread(ec_conv_2d_few_dsp_load(from) << before >> behind | fill, to);
    }
}

/* Any pixel, as pixel i of two. */
EC_SHARED void ec_conv_2d_few_dsp_one(const ec_conv_2d_few_s8_layer *layer, ec_conv_2d_few_s8_corner corner, int i,
                                      int16_t *scratch)
{
    const uint32_t zero = (uint32_t)(uint8_t)layer->input_zero_point * 0x01010101u;
    const int d = layer->dilation_h, length = layer->in_w * layer->in_c, groups = layer->run / 4 * layer->runs_w;
    const int above = corner.row >= 0 ? 0 : (-corner.row + d - 1) / d;
    const int rows = (layer->in_h - corner.row + d - 1) / d;
    const int count = (rows < layer->kernel_h ? rows : layer->kernel_h) - above;
    const int8_t *const line = corner.image + (corner.row + above * d) * length;
    int x, k;
    for (k = 0; k < groups * layer->kernel_h; ++k) ec_conv_2d_few_dsp_spread(zero, scratch + k * 8 + 2 * i);
    for (k = 0, x = 0; k < groups; ++k) {
        /* Group k of the runs of a row: `x` is where its run has it. */
        const int at = (corner.column + k / (layer->run / 4) * layer->dilation_w) * layer->in_c + x;
        if (at > -4 && at < length) {
            ec_conv_2d_few_dsp_words(layer, line, at, count, scratch + (above * groups + k) * 8 + 2 * i, groups * 8);
        }
        x = x + 4 < layer->run / 4 * 4 ? x + 4 : 0;
    }
    ec_conv_2d_few_s8_rest(layer, corner, i, scratch);
}

EC_SPECIALIZED const int8_t *ec_conv_2d_few_dsp_place(const ec_conv_2d_few_s8_layer *layer,
                                                      ec_conv_2d_few_s8_corner corner)
{
    return corner.image + (corner.row * layer->in_w + corner.column) * layer->in_c;
}

EC_SPECIALIZED void ec_conv_2d_few_dsp_gather(const ec_conv_2d_few_s8_layer *layer,
                                              const ec_conv_2d_few_s8_corner *corners, int16_t *scratch)
{
    int i;
    if (layer->kernel_h == 1 && layer->kernel_w == 1) {
        /* No padding: TensorFlow Lite pads only what a kernel reaches over. */
        const int8_t *const first = ec_conv_2d_few_dsp_place(layer, corners[0]);
        const int8_t *const second = ec_conv_2d_few_dsp_place(layer, corners[1]);
        ec_conv_2d_few_dsp_two(layer, first, (int)(second - first), scratch);
    } else if (ec_conv_2d_few_dsp_together(layer, corners)) {
        ec_conv_2d_few_dsp_two(layer, ec_conv_2d_few_dsp_place(layer, corners[0]), layer->stride_w * layer->in_c,
                               scratch);
    } else {
        for (i = 0; i < 2; ++i) ec_conv_2d_few_dsp_one(layer, corners[i], i, scratch);
    }
}

/* What the assembly reads and advances; offsets of the fields are written out there. */
typedef struct {
    const int16_t *weights; /* 0 */
    const int16_t *pixels;  /* 4 */
    const int32_t *quads;   /* 8: or lines */
    uint32_t skipped;       /* 12: bytes of code to skip in the first turn of two groups */
    int8_t *output;         /* 16 */
    int32_t step;           /* 20: to the second pixel's output */
    int32_t left;           /* 24: fours of channels */
    const int16_t *end;     /* 28: of the pixels */
    int32_t base;           /* 32: of the lines; else 2 * zero point + 1 */
} ec_conv_2d_few_dsp_work;

/* Sixteen products, 48 bytes of code: E of two pixels is in r4, r5 (channel 0) and r6, r7 (2), S in r8 .. r11. */
#define EC_CONV_2D_FEW_DSP_SIXTEEN                                                                                     \
    "ldrd r12, lr, [r1], #8\n ldrd r2, r3, [r0], #8\n"                                                                \
    "smlad r8, r12, r2, r8\n smlad r9, r12, r3, r9\n sxtb16 r12, r12\n"                                              \
    "smlad r10, lr, r2, r10\n smlad r11, lr, r3, r11\n sxtb16 lr, lr\n"                                               \
    "smlad r4, r12, r2, r4\n smlad r5, r12, r3, r5\n smlad r6, lr, r2, r6\n smlad r7, lr, r3, r7\n"

/* On lines, which r2 points to: S begins with its offset. */
#define EC_CONV_2D_FEW_DSP_BEGIN_LINES                                                                                 \
    "ldrd r8, r10, [r2]\n mov r9, r8\n mov r11, r10\n"                                                                 \
    "mov r4, #0\n mov r5, #0\n mov r6, #0\n mov r7, #0\n"
/* A sum to int8: base in lr. */
#define EC_CONV_2D_FEW_DSP_LINE(x, slope, shift)                                                                       \
    "smmlar " x ", " x ", " slope ", lr\n ssat " x ", #8, " x ", asr #" shift "\n"
#define EC_CONV_2D_FEW_DSP_SCALE_LINES(shift)                                                                          \
    "sub r8, r8, r4\n sub r9, r9, r5\n sub r10, r10, r6\n sub r11, r11, r7\n"                                          \
    "ldrd r2, r3, [r0, #8]\n"                                                                                         \
    "add r4, r2, r4, lsl #8\n add r5, r2, r5, lsl #8\n add r6, r3, r6, lsl #8\n add r7, r3, r7, lsl #8\n"              \
    "ldr lr, [r12, #32]\n"                                                                                            \
    "ldrd r2, r3, [r0, #16]\n"                                                                                        \
    EC_CONV_2D_FEW_DSP_LINE("r4", "r2", shift) EC_CONV_2D_FEW_DSP_LINE("r5", "r2", shift)                              \
    EC_CONV_2D_FEW_DSP_LINE("r8", "r3", shift) EC_CONV_2D_FEW_DSP_LINE("r9", "r3", shift)                              \
    "ldrd r2, r3, [r0, #24]\n"                                                                                        \
    EC_CONV_2D_FEW_DSP_LINE("r6", "r2", shift) EC_CONV_2D_FEW_DSP_LINE("r7", "r2", shift)                              \
    EC_CONV_2D_FEW_DSP_LINE("r10", "r3", shift) EC_CONV_2D_FEW_DSP_LINE("r11", "r3", shift)                            \
    "add r0, r0, #32\n"

/* Rounding twice: all begin with the even channel's bias. */
#define EC_CONV_2D_FEW_DSP_BEGIN_QUADS                                                                                 \
    "ldrd r4, r6, [r2]\n mov r5, r4\n mov r8, r4\n mov r9, r4\n mov r7, r6\n mov r10, r6\n mov r11, r6\n"
/* A doubled sum in `x` to int8: r2 multiplier, r12 half and zero point, r1 shift. */
#define EC_CONV_2D_FEW_DSP_OUTPUT(x)                                                                                   \
    "smmulr " x ", " x ", r2\n add " x ", " x ", " x ", asr #31\n add " x ", " x ", r12\n"                             \
    "asr " x ", " x ", r1\n ssat " x ", #8, " x "\n"
/* A channel's two outputs: its multiplier lies at `place`, its shift in the byte of lr that `byte` turns down. */
#define EC_CONV_2D_FEW_DSP_CHANNEL(place, byte, first, second)                                                         \
    "ldr r2, [r0, #" place "]\n uxtb r1, lr" byte "\n lsl r12, r3, r1\n asr r12, r12, #1\n"                           \
    EC_CONV_2D_FEW_DSP_OUTPUT(first) EC_CONV_2D_FEW_DSP_OUTPUT(second)
#define EC_CONV_2D_FEW_DSP_SCALE_QUADS                                                                                 \
    "ldrd r2, r3, [r0, #8]\n" /* biases of channels 1 and 3 */                                                         \
    "lsl r2, r2, #1\n lsl r3, r3, #1\n"                                                                                \
    "sub r8, r8, r4\n sub r9, r9, r5\n sub r10, r10, r6\n sub r11, r11, r7\n"                                          \
    "add r8, r2, r8, asr #7\n add r9, r2, r9, asr #7\n add r10, r3, r10, asr #7\n add r11, r3, r11, asr #7\n"          \
    "lsl r4, r4, #1\n lsl r5, r5, #1\n lsl r6, r6, #1\n lsl r7, r7, #1\n"                                              \
    "ldr lr, [r0, #32]\n"                                                                                              \
    "ldr r3, [r12, #32]\n"                                                                                             \
    EC_CONV_2D_FEW_DSP_CHANNEL("16", "", "r4", "r5")                                                                   \
    EC_CONV_2D_FEW_DSP_CHANNEL("20", ", ror #8", "r8", "r9")                                                           \
    EC_CONV_2D_FEW_DSP_CHANNEL("24", ", ror #16", "r6", "r7")                                                          \
    EC_CONV_2D_FEW_DSP_CHANNEL("28", ", ror #24", "r10", "r11")                                                        \
    "ldr r12, [sp]\n"                                                                                                  \
    "add r0, r0, #36\n"

/* `scale` has r0 at the constants of four channels and moves it behind them, r12 at the work. */
#define EC_CONV_2D_FEW_DSP_RUN(name, begin, scale)                                                                     \
    __attribute__((naked, noinline, unused)) static void name(ec_conv_2d_few_dsp_work *work __attribute__((unused)))   \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            "push {r4-r11, lr}\n"                                                                                      \
            "ldr r1, [r0, #28]\n"                                                                                      \
            "push {r0, r1}\n"                                                                                          \
            "1:\n" /* four channels */                                                                                 \
            "ldr r12, [sp]\n"                                                                                          \
            "ldrd r1, r0, [r12]\n"                                                                                     \
            "ldrd r2, r3, [r12, #8]\n"                                                                                 \
            begin                                                                                                      \
            "adr.w r12, 2f\n"                                                                                          \
            "add r12, r12, r3\n"                                                                                       \
            "orr r12, r12, #1\n"                                                                                       \
            "bx r12\n"                                                                                                 \
            ".balign 4\n"                                                                                              \
            "2:\n" /* two groups of four inputs */                                                                     \
            ".rept 4\n" EC_CONV_2D_FEW_DSP_SIXTEEN ".endr\n"                                                           \
            "ldr r2, [sp, #4]\n"                                                                                       \
            "cmp r0, r2\n"                                                                                             \
            "bne.w 2b\n"                                                                                               \
            "ldr r12, [sp]\n"                                                                                          \
            "str r1, [r12]\n"                                                                                          \
            "ldr r0, [r12, #8]\n"                                                                                      \
            scale                                                                                                      \
            "str r0, [r12, #8]\n"                                                                                      \
            "ldrd r0, r1, [r12, #16]\n"                                                                                \
            "strb r4, [r0]\n strb r8, [r0, #1]\n strb r6, [r0, #2]\n strb r10, [r0, #3]\n"                             \
            "add r1, r0, r1\n"                                                                                         \
            "strb r5, [r1]\n strb r9, [r1, #1]\n strb r7, [r1, #2]\n strb r11, [r1, #3]\n"                             \
            "add r0, r0, #4\n"                                                                                         \
            "str r0, [r12, #16]\n"                                                                                     \
            "ldr r2, [r12, #24]\n"                                                                                     \
            "subs r2, r2, #1\n"                                                                                        \
            "str r2, [r12, #24]\n"                                                                                     \
            "bgt.w 1b\n"                                                                                               \
            "add sp, sp, #8\n"                                                                                         \
            "pop {r4-r11, pc}\n");                                                                                     \
    }
EC_CONV_2D_FEW_DSP_RUN(ec_conv_2d_few_dsp_run_9, EC_CONV_2D_FEW_DSP_BEGIN_LINES, EC_CONV_2D_FEW_DSP_SCALE_LINES("9"))
EC_CONV_2D_FEW_DSP_RUN(ec_conv_2d_few_dsp_run_12, EC_CONV_2D_FEW_DSP_BEGIN_LINES, EC_CONV_2D_FEW_DSP_SCALE_LINES("12"))
EC_CONV_2D_FEW_DSP_RUN(ec_conv_2d_few_dsp_run_15, EC_CONV_2D_FEW_DSP_BEGIN_LINES, EC_CONV_2D_FEW_DSP_SCALE_LINES("15"))
EC_CONV_2D_FEW_DSP_RUN(ec_conv_2d_few_dsp_run, EC_CONV_2D_FEW_DSP_BEGIN_QUADS, EC_CONV_2D_FEW_DSP_SCALE_QUADS)

/* `turns` fours of channels from channel `first` on. */
EC_SPECIALIZED void ec_conv_2d_few_dsp_turns(const ec_conv_2d_few_s8_layer *layer, const int16_t *pixels, int first,
                                             int turns, int8_t *output, int step)
{
    ec_conv_2d_few_dsp_work work;
    work.weights = layer->weights + first / 4 * layer->groups * 8;
    work.pixels = pixels;
    work.quads = layer->line_shift ? layer->lines + first / 4 * EC_CONV_2D_FEW_LINES
                                   : layer->quads + first / 4 * EC_CONV_2D_FEW_QUAD;
    work.skipped = (uint32_t)(layer->groups % 2) * 96u;
    work.output = output;
    work.step = step;
    work.left = turns;
    work.end = pixels + layer->groups * 8;
    work.base = layer->line_shift ? layer->base : 2 * layer->output_zero_point + 1;
    if (layer->line_shift == 9) {
        ec_conv_2d_few_dsp_run_9(&work);
    } else if (layer->line_shift == 12) {
        ec_conv_2d_few_dsp_run_12(&work);
    } else if (layer->line_shift == 15) {
        ec_conv_2d_few_dsp_run_15(&work);
    } else {
        ec_conv_2d_few_dsp_run(&work);
    }
}

EC_SPECIALIZED void ec_conv_2d_few_dsp_times_two(const ec_conv_2d_few_s8_layer *layer, const int16_t *pixels,
                                                 int8_t *output, int step)
{
    const int whole = layer->out_c / 4 * 4;
    int i, channel;
    if (whole > 0) ec_conv_2d_few_dsp_turns(layer, pixels, 0, whole / 4, output, step);
    if (whole < layer->out_c) {
        int8_t last[8];
        ec_conv_2d_few_dsp_turns(layer, pixels, whole, 1, last, 4);
        for (i = 0; i < 2; ++i) {
            for (channel = whole; channel < layer->out_c; ++channel) {
                output[i * step + channel] = last[4 * i + channel - whole];
            }
        }
    }
    if (layer->lowest > -128 || layer->highest < 127) {
        for (i = 0; i < 2; ++i) {
            for (channel = 0; channel < layer->out_c; ++channel) {
                output[i * step + channel] = ec_narrow(output[i * step + channel], layer->lowest, layer->highest);
            }
        }
    }
}

#endif /* EC_CONV_2D_FEW_DSP_H_ */
