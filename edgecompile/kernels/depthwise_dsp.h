/* 3x3 depthwise convolution of one channel on cores with DSP instructions, over an int16 strip: depthwise_conv_2d_s8.h.
 *
 * A load of three words holds six neighbours of a row, the windows of four outputs: 24 dual and single products for
 * four outputs, with the weights (w0, w1) and (w1, w2) of a kernel row in two registers. Sums become outputs on lines
 * (lines.h), where weights are taken times 256; or rounded twice as in pairs_dsp.h, where they and the bias are taken
 * twice, which SMMULR wants of its sum. The caller has made sure that sums are small (is_plain). Strips are 4-byte
 * aligned, their rows an even number of int16. Nothing is allocated.
 */
#ifndef EC_DEPTHWISE_DSP_H_
#define EC_DEPTHWISE_DSP_H_

/* What the assembly copies to the stack (to where it says) and takes into registers. */
typedef struct {
    uint32_t weights[6]; /* 0: (w0, w1) and (w1, w2) of each kernel row, times 256 or 2 */
    int32_t begin;       /* 24: offset of the line, or the bias, doubled */
    int32_t factor;      /* 28: slope of the line, or the multiplier */
    int32_t base;        /* 32: of the line, or half of 2^shift and the zero point, shifted */
    int32_t shift;       /* 36: to the right */
    int32_t fours;       /* 40: how many fours of outputs are in a row before its end */
    int32_t strip_next;  /* 44: bytes from where a row's end begins in the strip to the next row */
    int32_t rows;        /* 48 */
    int32_t unused;      /* 52 */
    const int16_t *strip;
    int8_t *output;
    int32_t pitch; /* bytes of a row of the strip */
    int32_t out_c;
} ec_depthwise_dsp_work;

/* Neighbours are in r9, r10, r11, weights in r12 and lr; s is what the products are added to. */
#define EC_DEPTHWISE_DSP_EVEN(a, s, x, y) "smlad " a ", " x ", r12, " s "\n smlabt " a ", " y ", lr, " a "\n"
#define EC_DEPTHWISE_DSP_ODD(a, s, x, y) "smlatb " a ", " x ", r12, " s "\n smlad " a ", " y ", lr, " a "\n"
/* One to five outputs of a kernel row, in r4 to r8; with stride 1, and with stride 2. */
#define EC_DEPTHWISE_DSP_1_1(s4, s5, s6, s7, s8) "ldrd r9, r10, [r0]\n" EC_DEPTHWISE_DSP_EVEN("r4", s4, "r9", "r10")
#define EC_DEPTHWISE_DSP_1_2(s4, s5, s6, s7, s8)                                                                       \
    EC_DEPTHWISE_DSP_1_1(s4, s5, s6, s7, s8) EC_DEPTHWISE_DSP_ODD("r5", s5, "r9", "r10")
#define EC_DEPTHWISE_DSP_1_3(s4, s5, s6, s7, s8)                                                                       \
    "ldm r0, {r9, r10, r11}\n" EC_DEPTHWISE_DSP_EVEN("r4", s4, "r9", "r10")                                            \
        EC_DEPTHWISE_DSP_ODD("r5", s5, "r9", "r10") EC_DEPTHWISE_DSP_EVEN("r6", s6, "r10", "r11")
#define EC_DEPTHWISE_DSP_1_4(s4, s5, s6, s7, s8)                                                                       \
    EC_DEPTHWISE_DSP_1_3(s4, s5, s6, s7, s8) EC_DEPTHWISE_DSP_ODD("r7", s7, "r10", "r11")
#define EC_DEPTHWISE_DSP_1_5(s4, s5, s6, s7, s8)                                                                       \
    EC_DEPTHWISE_DSP_1_4(s4, s5, s6, s7, s8) "ldr r9, [r0, #12]\n" EC_DEPTHWISE_DSP_EVEN("r8", s8, "r11", "r9")
#define EC_DEPTHWISE_DSP_2_1(s4, s5, s6, s7, s8) EC_DEPTHWISE_DSP_1_1(s4, s5, s6, s7, s8)
#define EC_DEPTHWISE_DSP_2_2(s4, s5, s6, s7, s8)                                                                       \
    "ldm r0, {r9, r10, r11}\n" EC_DEPTHWISE_DSP_EVEN("r4", s4, "r9", "r10")                                            \
        EC_DEPTHWISE_DSP_EVEN("r5", s5, "r10", "r11")
#define EC_DEPTHWISE_DSP_2_3(s4, s5, s6, s7, s8)                                                                       \
    EC_DEPTHWISE_DSP_2_2(s4, s5, s6, s7, s8) "ldrd r9, r10, [r0, #12]\n" EC_DEPTHWISE_DSP_EVEN("r6", s6, "r11", "r9")
#define EC_DEPTHWISE_DSP_2_4(s4, s5, s6, s7, s8)                                                                       \
    EC_DEPTHWISE_DSP_2_3(s4, s5, s6, s7, s8) EC_DEPTHWISE_DSP_EVEN("r7", s7, "r9", "r10")
#define EC_DEPTHWISE_DSP_2_5(s4, s5, s6, s7, s8)                                                                       \
    EC_DEPTHWISE_DSP_2_4(s4, s5, s6, s7, s8) "ldr r11, [r0, #20]\n" EC_DEPTHWISE_DSP_EVEN("r8", s8, "r10", "r11")

/* A sum to int8, on a line, or rounding twice; r9 factor, r10 base, r11 shift. */
#define EC_DEPTHWISE_DSP_LOAD_LINES "ldrd r9, r10, [sp, #28]\n"
#define EC_DEPTHWISE_DSP_LINE(x, shift) "smmlar " x ", " x ", r9, r10\n ssat " x ", #8, " x ", asr #" shift "\n"
#define EC_DEPTHWISE_DSP_LINE_9(x) EC_DEPTHWISE_DSP_LINE(x, "9")
#define EC_DEPTHWISE_DSP_LINE_12(x) EC_DEPTHWISE_DSP_LINE(x, "12")
#define EC_DEPTHWISE_DSP_LINE_15(x) EC_DEPTHWISE_DSP_LINE(x, "15")
#define EC_DEPTHWISE_DSP_LOAD_PLAIN "ldrd r9, r10, [sp, #28]\n ldr r11, [sp, #36]\n"
#define EC_DEPTHWISE_DSP_PLAIN(x)                                                                                      \
    "smmulr " x ", " x ", r9\n add " x ", " x ", " x ", asr #31\n add " x ", " x ", r10\n"                             \
    "asr " x ", " x ", r11\n ssat " x ", #8, " x "\n"
#define EC_DEPTHWISE_DSP_OUTPUTS_1(scale) scale("r4")
#define EC_DEPTHWISE_DSP_OUTPUTS_2(scale) scale("r4") scale("r5")
#define EC_DEPTHWISE_DSP_OUTPUTS_3(scale) scale("r4") scale("r5") scale("r6")
#define EC_DEPTHWISE_DSP_OUTPUTS_4(scale) scale("r4") scale("r5") scale("r6") scale("r7")
#define EC_DEPTHWISE_DSP_OUTPUTS_5(scale) scale("r4") scale("r5") scale("r6") scale("r7") scale("r8")
#define EC_DEPTHWISE_DSP_STORES_1 "strb r4, [r1]\n add r1, r1, r3\n"
#define EC_DEPTHWISE_DSP_STORES_2 "strb r4, [r1]\n strb r5, [r1, r3]\n add r1, r1, r3, lsl #1\n"
#define EC_DEPTHWISE_DSP_STORES_3 EC_DEPTHWISE_DSP_STORES_2 "strb r6, [r1]\n add r1, r1, r3\n"
#define EC_DEPTHWISE_DSP_STORES_4                                                                                      \
    EC_DEPTHWISE_DSP_STORES_2 "strb r6, [r1]\n strb r7, [r1, r3]\n add r1, r1, r3, lsl #1\n"
#define EC_DEPTHWISE_DSP_STORES_5 EC_DEPTHWISE_DSP_STORES_4 "strb r8, [r1]\n add r1, r1, r3\n"

/* Outputs by all three kernel rows; `last` is the last one's register, which has what all begin with. */
#define EC_DEPTHWISE_DSP_BLOCK(row, last, outputs)                                                                     \
    "ldr " last ", [sp, #24]\n ldrd r12, lr, [sp]\n" row(last, last, last, last, last)                                 \
    "add r0, r0, r2\n ldrd r12, lr, [sp, #8]\n" row("r4", "r5", "r6", "r7", "r8")                                      \
    "add r0, r0, r2\n ldrd r12, lr, [sp, #16]\n" row("r4", "r5", "r6", "r7", "r8") outputs
#define EC_DEPTHWISE_DSP_END_0(stride, load, scale) ""
#define EC_DEPTHWISE_DSP_END_1(stride, load, scale)                                                                    \
    EC_DEPTHWISE_DSP_BLOCK(EC_DEPTHWISE_DSP_##stride##_1, "r4", load EC_DEPTHWISE_DSP_OUTPUTS_1(scale)                 \
                               EC_DEPTHWISE_DSP_STORES_1)
#define EC_DEPTHWISE_DSP_END_2(stride, load, scale)                                                                    \
    EC_DEPTHWISE_DSP_BLOCK(EC_DEPTHWISE_DSP_##stride##_2, "r5", load EC_DEPTHWISE_DSP_OUTPUTS_2(scale)                 \
                               EC_DEPTHWISE_DSP_STORES_2)
#define EC_DEPTHWISE_DSP_END_3(stride, load, scale)                                                                    \
    EC_DEPTHWISE_DSP_BLOCK(EC_DEPTHWISE_DSP_##stride##_3, "r6", load EC_DEPTHWISE_DSP_OUTPUTS_3(scale)                 \
                               EC_DEPTHWISE_DSP_STORES_3)
#define EC_DEPTHWISE_DSP_END_4(stride, load, scale)                                                                    \
    EC_DEPTHWISE_DSP_BLOCK(EC_DEPTHWISE_DSP_##stride##_4, "r7", load EC_DEPTHWISE_DSP_OUTPUTS_4(scale)                 \
                               EC_DEPTHWISE_DSP_STORES_4)
#define EC_DEPTHWISE_DSP_END_5(stride, load, scale)                                                                    \
    EC_DEPTHWISE_DSP_BLOCK(EC_DEPTHWISE_DSP_##stride##_5, "r8", load EC_DEPTHWISE_DSP_OUTPUTS_5(scale)                 \
                               EC_DEPTHWISE_DSP_STORES_5)

/* The fours of a row: many, or none. */
#define EC_DEPTHWISE_DSP_MANY(stride, load, scale)                                                                     \
    "ldr r8, [sp, #40]\n"                                                                                              \
    "2:\n" EC_DEPTHWISE_DSP_END_4(stride, load, scale)                                                                 \
    "sub r0, r0, r2, lsl #1\n"                                                                                         \
    "add r0, r0, #8 * " #stride "\n"                                                                                   \
    "subs r8, r8, #1\n"                                                                                                \
    "bne.w 2b\n"
#define EC_DEPTHWISE_DSP_NONE(stride, load, scale) ""
/* Rows of fours and an end of `end` outputs. */
#define EC_DEPTHWISE_DSP_PLANE(name, stride, fours, end, load, scale)                                                  \
    __attribute__((naked, noinline, unused)) static void name(                                                         \
        const ec_depthwise_dsp_work *work __attribute__((unused)))                                                     \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            "push {r4-r11, lr}\n"                                                                                      \
            "add r12, r0, #24\n ldm r12, {r4-r11}\n push {r4-r11}\n"                                                   \
            "ldm r0, {r4-r9}\n push {r4-r9}\n"                                                                         \
            "add r12, r0, #56\n ldm r12, {r0-r3}\n"                                                                    \
            "1:\n" /* a row */                                                                                         \
            EC_DEPTHWISE_DSP_##fours(stride, load, scale)                                                              \
            EC_DEPTHWISE_DSP_END_##end(stride, load, scale)                                                            \
            "ldrd r9, r10, [sp, #44]\n"                                                                                \
            "add r0, r0, r9\n"                                                                                         \
            "subs r10, r10, #1\n"                                                                                      \
            "str r10, [sp, #48]\n"                                                                                     \
            "bgt.w 1b\n"                                                                                               \
            "add sp, sp, #56\n"                                                                                        \
            "pop {r4-r11, pc}\n");                                                                                     \
    }
#define EC_DEPTHWISE_DSP_PLANES(stride, fours, end)                                                                    \
    EC_DEPTHWISE_DSP_PLANE(ec_depthwise_dsp_9_##stride##_##fours##_##end, stride, fours, end,                          \
                           EC_DEPTHWISE_DSP_LOAD_LINES, EC_DEPTHWISE_DSP_LINE_9)                                       \
    EC_DEPTHWISE_DSP_PLANE(ec_depthwise_dsp_12_##stride##_##fours##_##end, stride, fours, end,                         \
                           EC_DEPTHWISE_DSP_LOAD_LINES, EC_DEPTHWISE_DSP_LINE_12)                                      \
    EC_DEPTHWISE_DSP_PLANE(ec_depthwise_dsp_15_##stride##_##fours##_##end, stride, fours, end,                         \
                           EC_DEPTHWISE_DSP_LOAD_LINES, EC_DEPTHWISE_DSP_LINE_15)                                      \
    EC_DEPTHWISE_DSP_PLANE(ec_depthwise_dsp_plain_##stride##_##fours##_##end, stride, fours, end,                      \
                           EC_DEPTHWISE_DSP_LOAD_PLAIN, EC_DEPTHWISE_DSP_PLAIN)
EC_DEPTHWISE_DSP_PLANES(1, NONE, 1)
EC_DEPTHWISE_DSP_PLANES(1, NONE, 2)
EC_DEPTHWISE_DSP_PLANES(1, NONE, 3)
EC_DEPTHWISE_DSP_PLANES(1, NONE, 5)
EC_DEPTHWISE_DSP_PLANES(1, MANY, 0)
EC_DEPTHWISE_DSP_PLANES(1, MANY, 2)
EC_DEPTHWISE_DSP_PLANES(1, MANY, 3)
EC_DEPTHWISE_DSP_PLANES(1, MANY, 5)
EC_DEPTHWISE_DSP_PLANES(2, NONE, 1)
EC_DEPTHWISE_DSP_PLANES(2, NONE, 2)
EC_DEPTHWISE_DSP_PLANES(2, NONE, 3)
EC_DEPTHWISE_DSP_PLANES(2, NONE, 5)
EC_DEPTHWISE_DSP_PLANES(2, MANY, 0)
EC_DEPTHWISE_DSP_PLANES(2, MANY, 2)
EC_DEPTHWISE_DSP_PLANES(2, MANY, 3)
EC_DEPTHWISE_DSP_PLANES(2, MANY, 5)

/* Whether what follows takes the layer. */
EC_SPECIALIZED int ec_depthwise_dsp_takes(const ec_depthwise_conv_2d_s8_layer *layer)
{
    return layer->is_plain && layer->kernel_h == 3 && layer->kernel_w == 3 && layer->dilation_h == 1 &&
           layer->dilation_w == 1 && layer->stride_w <= 2;
}

typedef void ec_depthwise_dsp_plane(const ec_depthwise_dsp_work *work);

/* Outputs behind the fours of a row: one is made together with four others. */
EC_SPECIALIZED int ec_depthwise_dsp_end(int out_w) { return out_w % 4 == 1 && out_w > 1 ? 5 : out_w % 4; }

#define EC_DEPTHWISE_DSP_OF_SHIFT(stride, fours, end)                                                                  \
    return layer->line_shift == 9    ? ec_depthwise_dsp_9_##stride##_##fours##_##end                                   \
           : layer->line_shift == 12 ? ec_depthwise_dsp_12_##stride##_##fours##_##end                                  \
           : layer->line_shift == 15 ? ec_depthwise_dsp_15_##stride##_##fours##_##end                                  \
                                     : ec_depthwise_dsp_plain_##stride##_##fours##_##end;
#define EC_DEPTHWISE_DSP_OF_WIDTH(stride)                                                                              \
    switch (layer->out_w <= 5 && layer->out_w != 4 ? layer->out_w : 6 + ec_depthwise_dsp_end(layer->out_w)) {          \
    case 1: EC_DEPTHWISE_DSP_OF_SHIFT(stride, NONE, 1)                                                                 \
    case 2: EC_DEPTHWISE_DSP_OF_SHIFT(stride, NONE, 2)                                                                 \
    case 3: EC_DEPTHWISE_DSP_OF_SHIFT(stride, NONE, 3)                                                                 \
    case 5: EC_DEPTHWISE_DSP_OF_SHIFT(stride, NONE, 5)                                                                 \
    case 6: EC_DEPTHWISE_DSP_OF_SHIFT(stride, MANY, 0)                                                                 \
    case 8: EC_DEPTHWISE_DSP_OF_SHIFT(stride, MANY, 2)                                                                 \
    case 9: EC_DEPTHWISE_DSP_OF_SHIFT(stride, MANY, 3)                                                                 \
    default: EC_DEPTHWISE_DSP_OF_SHIFT(stride, MANY, 5)                                                                \
    }

/* The function for a layer's rows. */
EC_SPECIALIZED ec_depthwise_dsp_plane *ec_depthwise_dsp_plane_of(const ec_depthwise_conv_2d_s8_layer *layer)
{
    if (layer->stride_w == 1) {
        EC_DEPTHWISE_DSP_OF_WIDTH(1)
    }
    EC_DEPTHWISE_DSP_OF_WIDTH(2)
}

/* `count` bytes that are `pitch` apart, as int16. */
EC_SHARED void ec_depthwise_dsp_spread(const int8_t *from, int pitch, int count, int16_t *to)
{
    const int pitch_3 = 3 * pitch;
    for (; count >= 4; count -= 4) {
        int32_t a, b, c, d;
        __asm__ volatile("ldrsb %[a], [%[from]]\n ldrsb %[b], [%[from], %[pitch]]\n"
                         "ldrsb %[c], [%[from], %[pitch], lsl #1]\n ldrsb %[d], [%[from], %[pitch_3]]\n"
                         "strh %[a], [%[to]], #8\n strh %[b], [%[to], #-6]\n strh %[c], [%[to], #-4]\n"
                         "strh %[d], [%[to], #-2]\n add %[from], %[from], %[pitch], lsl #2\n"
                         : [from] "+r"(from), [to] "+r"(to), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d)
                         : [pitch] "r"(pitch), [pitch_3] "r"(pitch_3)
                         : "memory");
    }
    for (; count > 0; --count, from += pitch) *to++ = *from;
}

/* The same row by row: `next` bytes from row to row, `strip_w` int16. */
EC_SHARED void ec_depthwise_dsp_rows(const int8_t *from, int pitch, int count, int rows, int next, int16_t *to,
                                     int strip_w)
{
    for (; rows > 0; --rows, from += next, to += strip_w) ec_depthwise_dsp_spread(from, pitch, count, to);
}

/* A channel's weights, shifted to the left. */
EC_SHARED void ec_depthwise_dsp_weights(ec_depthwise_dsp_work *work, const int8_t *w, int shift)
{
    int y;
    EC_UNROLLED
    for (y = 0; y < 3; ++y, w += 3) {
        const uint32_t first = (uint32_t)w[0] << shift, middle = (uint32_t)w[1] << shift;
        const uint32_t last = (uint32_t)w[2] << shift;
        __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(work->weights[2 * y]) : "r"(first), "r"(middle));
        __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(work->weights[2 * y + 1]) : "r"(middle), "r"(last));
    }
}

/* What is the same for all channels. */
EC_SPECIALIZED void ec_depthwise_dsp_begin(const ec_depthwise_conv_2d_s8_layer *layer, int16_t *strip,
                                           ec_depthwise_dsp_work *work)
{
    const int end = ec_depthwise_dsp_end(layer->out_w);
    work->fours = (layer->out_w - end) / 4;
    work->pitch = 2 * layer->strip_w;
    work->strip_next = (layer->stride_h - (end ? 2 : 0)) * work->pitch - work->fours * 8 * layer->stride_w;
    work->rows = layer->rows_at_once;
    work->strip = strip;
    work->out_c = layer->out_c;
}

/* `rows_at_once` output rows of one channel from its strip. */
EC_SPECIALIZED void ec_depthwise_dsp_channel(const ec_depthwise_conv_2d_s8_layer *layer, int channel, int8_t *output,
                                             ec_depthwise_dsp_work *work)
{
    ec_depthwise_dsp_weights(work, layer->weights + 9 * channel, layer->line_shift ? 8 : 1);
    if (layer->line_shift) {
        work->begin = layer->lines[2 * channel];
        work->factor = layer->lines[2 * channel + 1];
        work->base = layer->base;
    } else {
        const int shift = -layer->shift[channel];
        work->begin = 2 * layer->bias[channel];
        work->factor = layer->multiplier[channel];
        work->base = ((2 * layer->output_zero_point + 1) * (1 << shift)) >> 1;
        work->shift = shift;
    }
    work->output = output + channel;
    ec_depthwise_dsp_plane_of(layer)(work);
}

/* Outputs cut to a range inside int8's; `end` is behind them. */
EC_SPECIALIZED void ec_depthwise_dsp_cut(const ec_depthwise_conv_2d_s8_layer *layer, int8_t *end)
{
    const int lowest = layer->lowest, highest = layer->highest;
    int8_t *at = end - layer->batches * layer->out_h * layer->out_w * layer->out_c;
    if (lowest <= -128 && highest >= 127) return;
    for (; at != end; ++at) *at = (int8_t)ec_clamp(*at, lowest, highest);
}

#endif /* EC_DEPTHWISE_DSP_H_ */
