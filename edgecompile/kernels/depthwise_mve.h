/* 3x3 depthwise convolution on cores with Helium (MVE), one channel's plane at a time: depthwise_conv_2d_s8.h.
 *
 * A gather of eight halfwords takes four neighbours of three rows, which hold the windows of two outputs: one VMLADAV
 * with the nine weights each. Eight outputs are scaled at once, as in dot_mve.h. Strips are int8 here. Gathers are few
 * instructions, but take a cycle for each element. Nothing here allocates.
 */
#ifndef EC_DEPTHWISE_MVE_H_
#define EC_DEPTHWISE_MVE_H_

#include <arm_mve.h>

/* What the assembly reads and advances; offsets of the fields are written out there. */
typedef struct {
    const int8_t *strip;       /* 0 */
    int8_t *output;            /* 4 */
    int32_t rows, out_w;       /* 8, 12 */
    int32_t bias, multiplier;  /* 16, 20 */
    int32_t shift;             /* 24: to the left */
    int32_t strip_row;         /* 28: from behind a row's outputs, in eights, to the next row */
    int32_t output_row, eight; /* 32, 36: the same of the output; behind eight outputs */
    int32_t zero_point;        /* 40 */
    int32_t unused;            /* 44 */
    int8_t first[16];          /* 48: weights where the window begins with the first of four neighbours */
    int8_t second[16];         /* 64: and where it begins with the second */
    uint16_t neighbours[8];    /* 80: offsets of pairs of inputs, the last two for nothing */
    uint16_t places[8];        /* 96: of eight outputs */
} ec_depthwise_mve_work;

/* Two outputs with one gather where the stride is 1; two gathers where it is 2. */
#define EC_DEPTHWISE_MVE_1(even, odd)                                                                                  \
    "vldrh.u16 q2, [r1, q6]\n vmladav.s8 " even ", q2, q4\n vmladav.s8 " odd ", q2, q5\n add r1, r1, #2\n"
#define EC_DEPTHWISE_MVE_2(even, odd)                                                                                  \
    "vldrh.u16 q2, [r1, q6]\n add r1, r1, #2\n vmladav.s8 " even ", q2, q4\n"                                          \
    "vldrh.u16 q2, [r1, q6]\n add r1, r1, #2\n vmladav.s8 " odd ", q2, q4\n"
#define EC_DEPTHWISE_MVE_EIGHT(two) two("r0", "r8") two("r2", "r10") two("r4", "r12") two("r6", "lr")
/* Halves of negative numbers away from zero. */
#define EC_DEPTHWISE_MVE_SIGNS                                                                                         \
    "vshr.s32 q2, q0, #31\n vadd.i32 q0, q0, q2\n vshr.s32 q2, q1, #31\n vadd.i32 q1, q1, q2\n"

#define EC_DEPTHWISE_MVE_ROWS(name, two, signs)                                                                        \
    __attribute__((naked, noinline, unused)) static void name(ec_depthwise_mve_work *work __attribute__((unused)))     \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            "push {r4-r11, lr}\n"                                                                                      \
            "vpush {d8-d15}\n"                                                                                         \
            "push {r0, r1}\n"                                                                                          \
            "vldrb.8 q4, [r0, #48]\n vldrb.8 q5, [r0, #64]\n"                                                          \
            "vldrh.16 q6, [r0, #80]\n vldrh.16 q3, [r0, #96]\n"                                                        \
            "ldr r1, [r0, #40]\n"                                                                                      \
            "vdup.16 q7, r1\n"                                                                                         \
            "ldrd r7, r9, [r0, #16]\n"                                                                                 \
            "ldr r11, [r0, #24]\n"                                                                                     \
            "ldrd r1, r3, [r0]\n"                                                                                      \
            "1:\n" /* a row */                                                                                         \
            "ldr r5, [r0, #12]\n"                                                                                      \
            "2:\n" /* eight outputs */                                                                                 \
            EC_DEPTHWISE_MVE_EIGHT(two)                                                                                \
            "vmov q0[2], q0[0], r0, r4\n vmov q0[3], q0[1], r2, r6\n"                                                  \
            "vmov q1[2], q1[0], r8, r12\n vmov q1[3], q1[1], r10, lr\n"                                                \
            "vadd.i32 q0, q0, r7\n vadd.i32 q1, q1, r7\n"                                                              \
            "vqrdmulh.s32 q0, q0, r9\n vqrdmulh.s32 q1, q1, r9\n"                                                      \
            signs                                                                                                      \
            "ldr r0, [sp]\n"                                                                                           \
            "vrshl.s32 q0, r11\n vrshl.s32 q1, r11\n"                                                                  \
            "ldr r2, [r0, #36]\n"                                                                                      \
            "vqmovnb.s32 q0, q0\n vqmovnt.s32 q0, q1\n"                                                                \
            "vqadd.s16 q0, q0, q7\n"                                                                                   \
            "vqmovnb.s16 q0, q0\n"                                                                                     \
            "vctp.16 r5\n vpst\n vstrbt.16 q0, [r3, q3]\n"                                                             \
            "add r3, r3, r2\n"                                                                                         \
            "subs r5, r5, #8\n"                                                                                        \
            "bgt.w 2b\n"                                                                                               \
            "ldrd r2, r4, [r0, #28]\n"                                                                                 \
            "ldr r5, [r0, #8]\n"                                                                                       \
            "add r1, r1, r2\n"                                                                                         \
            "add r3, r3, r4\n"                                                                                         \
            "subs r5, r5, #1\n"                                                                                        \
            "str r5, [r0, #8]\n"                                                                                       \
            "bgt.w 1b\n"                                                                                               \
            "add sp, sp, #8\n"                                                                                         \
            "vpop {d8-d15}\n"                                                                                          \
            "pop {r4-r11, pc}\n");                                                                                     \
    }
EC_DEPTHWISE_MVE_ROWS(ec_depthwise_mve_rows, EC_DEPTHWISE_MVE_1, EC_DEPTHWISE_MVE_SIGNS)
EC_DEPTHWISE_MVE_ROWS(ec_depthwise_mve_rows_stride_2, EC_DEPTHWISE_MVE_2, EC_DEPTHWISE_MVE_SIGNS)
/* Where the lowest output is the zero point: how negative numbers are rounded does not matter. */
EC_DEPTHWISE_MVE_ROWS(ec_depthwise_mve_rows_positive, EC_DEPTHWISE_MVE_1, "")
EC_DEPTHWISE_MVE_ROWS(ec_depthwise_mve_rows_positive_stride_2, EC_DEPTHWISE_MVE_2, "")

/* Rows of at most eight outputs, in one go: offsets between rows are taken from the stack, the predicate stays. */
#define EC_DEPTHWISE_MVE_SIX(two) two("r0", "r8") two("r2", "r10") two("r4", "r12")
#define EC_DEPTHWISE_MVE_NARROW(name, two, outputs, signs)                                                             \
    __attribute__((naked, noinline, unused)) static void name(ec_depthwise_mve_work *work __attribute__((unused)))     \
    {                                                                                                                  \
        __asm__ volatile(                                                                                              \
            "push {r4-r11, lr}\n"                                                                                      \
            "vpush {d8-d15}\n"                                                                                         \
            "vldrb.8 q4, [r0, #48]\n vldrb.8 q5, [r0, #64]\n"                                                          \
            "vldrh.16 q6, [r0, #80]\n vldrh.16 q3, [r0, #96]\n"                                                        \
            "ldr r1, [r0, #40]\n"                                                                                      \
            "vdup.16 q7, r1\n"                                                                                         \
            "ldrd r5, r1, [r0, #8]\n"                                                                                  \
            "vctp.16 r1\n"                                                                                             \
            "ldrd r2, r3, [r0, #28]\n"                                                                                 \
            "push {r2, r3}\n"                                                                                          \
            "ldrd r7, r9, [r0, #16]\n"                                                                                 \
            "ldr r11, [r0, #24]\n"                                                                                     \
            "ldrd r1, r3, [r0]\n"                                                                                      \
            "1:\n" /* a row */                                                                                         \
            outputs(two)                                                                                               \
            "vmov q0[2], q0[0], r0, r4\n vmov q0[3], q0[1], r2, r6\n"                                                  \
            "vmov q1[2], q1[0], r8, r12\n vmov q1[3], q1[1], r10, lr\n"                                                \
            "vadd.i32 q0, q0, r7\n vadd.i32 q1, q1, r7\n"                                                              \
            "vqrdmulh.s32 q0, q0, r9\n vqrdmulh.s32 q1, q1, r9\n"                                                      \
            signs                                                                                                      \
            "vrshl.s32 q0, r11\n vrshl.s32 q1, r11\n"                                                                  \
            "ldrd r0, r2, [sp]\n"                                                                                      \
            "vqmovnb.s32 q0, q0\n vqmovnt.s32 q0, q1\n"                                                                \
            "vqadd.s16 q0, q0, q7\n"                                                                                   \
            "vqmovnb.s16 q0, q0\n"                                                                                     \
            "vpst\n vstrbt.16 q0, [r3, q3]\n"                                                                          \
            "add r1, r1, r0\n"                                                                                         \
            "add r3, r3, r2\n"                                                                                         \
            "subs r5, r5, #1\n"                                                                                        \
            "bgt.w 1b\n"                                                                                               \
            "add sp, sp, #8\n"                                                                                         \
            "vpop {d8-d15}\n"                                                                                          \
            "pop {r4-r11, pc}\n");                                                                                     \
    }
#define EC_DEPTHWISE_MVE_NARROWS(name, two)                                                                            \
    EC_DEPTHWISE_MVE_NARROW(ec_depthwise_mve_six##name, two, EC_DEPTHWISE_MVE_SIX, EC_DEPTHWISE_MVE_SIGNS)             \
    EC_DEPTHWISE_MVE_NARROW(ec_depthwise_mve_eight##name, two, EC_DEPTHWISE_MVE_EIGHT, EC_DEPTHWISE_MVE_SIGNS)         \
    EC_DEPTHWISE_MVE_NARROW(ec_depthwise_mve_six_positive##name, two, EC_DEPTHWISE_MVE_SIX, "")                        \
    EC_DEPTHWISE_MVE_NARROW(ec_depthwise_mve_eight_positive##name, two, EC_DEPTHWISE_MVE_EIGHT, "")
EC_DEPTHWISE_MVE_NARROWS(, EC_DEPTHWISE_MVE_1)
EC_DEPTHWISE_MVE_NARROWS(_stride_2, EC_DEPTHWISE_MVE_2)

typedef void ec_depthwise_mve_function(ec_depthwise_mve_work *work);

#define EC_DEPTHWISE_MVE_OF(layer, name)                                                                               \
    ((layer)->out_w <= 6   ? ec_depthwise_mve_six##name                                                                \
     : (layer)->out_w <= 8 ? ec_depthwise_mve_eight##name                                                              \
                           : ec_depthwise_mve_rows##name)

/* The function for a layer's rows. */
EC_SPECIALIZED ec_depthwise_mve_function *ec_depthwise_mve_of(const ec_depthwise_conv_2d_s8_layer *layer)
{
    if (layer->lowest >= layer->output_zero_point) {
        return layer->stride_w == 2 ? EC_DEPTHWISE_MVE_OF(layer, _positive_stride_2)
                                    : EC_DEPTHWISE_MVE_OF(layer, _positive);
    }
    return layer->stride_w == 2 ? EC_DEPTHWISE_MVE_OF(layer, _stride_2) : EC_DEPTHWISE_MVE_OF(layer, );
}

/* How many outputs of a row are made, those behind its end included. */
EC_SPECIALIZED int ec_depthwise_mve_made(int out_w) { return out_w <= 6 ? 6 : (out_w + 7) / 8 * 8; }

/* Whether what follows takes the layer. */
EC_SPECIALIZED int ec_depthwise_mve_takes(const ec_depthwise_conv_2d_s8_layer *layer)
{
    return layer->is_plain && layer->kernel_h == 3 && layer->kernel_w == 3 && layer->dilation_h == 1 &&
           layer->dilation_w == 1 && layer->stride_w <= 2 && layer->in_c <= 4096 && layer->out_c <= 4096;
}

/* Fill a strip with the input's zero point. */
EC_SPECIALIZED void ec_depthwise_mve_border(const ec_depthwise_conv_2d_s8_layer *layer, int8_t *strip)
{
    const int bytes = layer->strip_h * layer->strip_w;
    int i;
    for (i = 0; i < bytes; ++i) strip[i] = (int8_t)layer->input_zero_point;
}

/* One channel of an input row, whose neighbours are in_c bytes apart. */
EC_SPECIALIZED void ec_depthwise_mve_row(const ec_depthwise_conv_2d_s8_layer *layer, const int8_t *from, int8_t *to)
{
    int x = 0;
    if (15 * layer->in_c <= 255) {
        const uint8x16_t places = vmulq_n_u8(vidupq_n_u8(0, 1), (uint8_t)layer->in_c);
        for (; x + 16 <= layer->in_w; x += 16, from += 16 * layer->in_c) {
            vstrbq_s8(to + x, vldrbq_gather_offset_s8(from, places));
        }
        if (x < layer->in_w) {
            const mve_pred16_t there = vctp8q((uint32_t)(layer->in_w - x));
            vstrbq_p_s8(to + x, vldrbq_gather_offset_z_s8(from, places, there), there);
        }
    } else {
        const uint16x8_t places = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)layer->in_c);
        for (; x + 8 <= layer->in_w; x += 8, from += 8 * layer->in_c) {
            vstrbq_s16(to + x, vldrbq_gather_offset_s16(from, places));
        }
        if (x < layer->in_w) {
            const mve_pred16_t there = vctp16q((uint32_t)(layer->in_w - x));
            vstrbq_p_s16(to + x, vldrbq_gather_offset_z_s16(from, places, there), there);
        }
    }
}

/* One channel's input rows that the strip covers; `top` is its first one. */
EC_SPECIALIZED void ec_depthwise_mve_strip(const ec_depthwise_conv_2d_s8_layer *layer, const int8_t *channel, int top,
                                           int8_t *strip)
{
    const int first = top < 0 ? 0 : top;
    const int behind = top + layer->strip_h < layer->in_h ? top + layer->strip_h : layer->in_h;
    const int8_t *from = channel + first * layer->in_w * layer->in_c;
    int8_t *to = strip + (first - top) * layer->strip_w + layer->pad_left;
    int y;
    for (y = first; y < behind; ++y, to += layer->strip_w, from += layer->in_w * layer->in_c) {
        ec_depthwise_mve_row(layer, from, to);
    }
}

/* `rows_at_once` output rows of one channel from its strip. */
EC_SPECIALIZED void ec_depthwise_mve_channel(const ec_depthwise_conv_2d_s8_layer *layer, ec_depthwise_mve_work *work,
                                             const int8_t *strip, int channel, int8_t *output)
{
    static const uint8_t first[16] = {0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8};
    static const uint8_t second[16] = {0, 0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8};
    const int8_t *const weights = layer->weights + channel * 9;
    uint32_t those = 0x0777, next = 0x0eee;
    /* Not literals to the compiler: GCC 12 takes one predicate for another. */
    __asm__("" : "+r"(those), "+r"(next));
    vstrbq_s8(work->first, vldrbq_gather_offset_z_s8(weights, vldrbq_u8(first), (mve_pred16_t)those));
    vstrbq_s8(work->second, vldrbq_gather_offset_z_s8(weights, vldrbq_u8(second), (mve_pred16_t)next));
    work->strip = strip;
    work->output = output + channel;
    work->rows = layer->rows_at_once;
    work->bias = layer->bias[channel];
    work->multiplier = layer->multiplier[channel];
    work->shift = layer->shift[channel];
    ec_depthwise_mve_of(layer)(work);
}

EC_SPECIALIZED void ec_depthwise_mve(const ec_depthwise_conv_2d_s8_layer *layer, const int8_t *input, int8_t *output,
                                     int8_t *strip)
{
    const int multiplicity = layer->out_c / layer->in_c;
    const int made = ec_depthwise_mve_made(layer->out_w);
    ec_depthwise_mve_work work;
    int n, oy, c, m, i;
    work.out_w = layer->out_w;
    work.strip_row = layer->stride_h * layer->strip_w - made * layer->stride_w;
    work.output_row = (layer->out_w - (layer->out_w <= 8 ? 0 : made)) * layer->out_c;
    work.eight = 8 * layer->out_c;
    work.zero_point = layer->output_zero_point;
    for (i = 0; i < 8; ++i) {
        work.neighbours[i] = (uint16_t)(i < 6 ? i / 2 * layer->strip_w + i % 2 * 2 : 0);
        work.places[i] = (uint16_t)(i * layer->out_c);
    }
    for (n = 0; n < layer->batches; ++n, input += layer->in_h * layer->in_w * layer->in_c) {
        for (oy = 0; oy < layer->out_h; oy += layer->rows_at_once) {
            const int top = oy * layer->stride_h - layer->pad_top;
            /* Rows outside the input come first and last. */
            if (oy == 0 || top + layer->strip_h > layer->in_h) ec_depthwise_mve_border(layer, strip);
            for (c = 0; c < layer->in_c; ++c) {
                ec_depthwise_mve_strip(layer, input + c, top, strip);
                for (m = 0; m < multiplicity; ++m) {
                    ec_depthwise_mve_channel(layer, &work, strip, c * multiplicity + m, output);
                }
            }
            output += layer->rows_at_once * layer->out_w * layer->out_c;
        }
    }
    if (layer->lowest > -128 || layer->highest < 127) {
        const int count = layer->batches * layer->out_h * layer->out_w * layer->out_c;
        for (i = 0, output -= count; i < count; ++i) output[i] = ec_narrow(output[i], layer->lowest, layer->highest);
    }
}

#endif /* EC_DEPTHWISE_MVE_H_ */
