/* CONV_2D of few input channels (in_c no multiple of 4), int8[n, in_h, in_w, in_c] to int8[n, out_h, out_w, out_c].
 *
 * layer    literal settings (see the struct), so that the compiler makes the kernel for this layer
 * input    int8, layer->in_* as sizes
 * output   int8; may overlap the input where both pixels of a block are written behind what is still to be read
 * scratch  int16[groups * 8]: the inputs of two output pixels; must not overlap the others; 4-byte aligned
 *
 * Also DEPTHWISE_CONV_2D of one input channel, which is the same. Two pixels and four output channels are made at once.
 * Inputs are taken in runs that lie together in the input: rows of the kernel, or its columns where it is dilated.
 * First come the whole groups of four of all runs, then what each run has left, then zeros to the next multiple of 4.
 * The bias has the input's zero point folded in, so padding is the zero point. Nothing is allocated, nothing outside
 * the output is written.
 */
#ifndef EC_CONV_2D_FEW_S8_H_
#define EC_CONV_2D_FEW_S8_H_

#include "rounding.h"

typedef struct {
    /* int16[ceil(out_c / 4)][groups][2][2][2]: of four channels and four inputs k .. k+3, those of k and k+2, then
     * those of k+1 and k+3: a + 256 * b, a and b the weights of channels 0 and 1, then of 2 and 3.
     */
    const int16_t *weights;
    /* int32[ceil(out_c / 4)][9]: biases of channels 0, 2, 1, 3, multipliers of 0 to 3, and in the bytes of the last by
     * how much 0 to 3 are shifted to the right (negative: to the left).
     */
    const int32_t *quads;
    /* Instead of `quads` where line_shift is not 0 (lines.h): int32[ceil(out_c / 4)][8], offsets of channels 1, 3, 0, 2
     * and slopes of 0 to 3.
     */
    const int32_t *lines;
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int run, runs_w; /* bytes of a run, and how many are in a row of the kernel */
    int groups;      /* ceil(kernel_h * kernel_w * in_c / 4) */
    int line_shift, base;
    int input_zero_point, output_zero_point, lowest, highest;
    int is_plain, rounding;
} ec_conv_2d_few_s8_layer;

#define EC_CONV_2D_FEW_QUAD 9
#define EC_CONV_2D_FEW_LINES 8

/* Where the window of an output pixel begins. */
typedef struct {
    const int8_t *image;
    int row, column;
} ec_conv_2d_few_s8_corner;

/* The place of input k of pixel i among the int16 of two pixels. */
EC_SPECIALIZED int ec_conv_2d_few_s8_place(int k, int i) { return (k / 4) * 8 + (k % 2) * 4 + i * 2 + (k % 4) / 2; }

/* Byte k of run x in row y of a window; the zero point outside the input. */
EC_SPECIALIZED int16_t ec_conv_2d_few_s8_value(const ec_conv_2d_few_s8_layer *layer, ec_conv_2d_few_s8_corner corner,
                                               int y, int x, int k)
{
    const int row = corner.row + y * layer->dilation_h, row_bytes = layer->in_w * layer->in_c;
    const int at = (corner.column + x * layer->dilation_w) * layer->in_c + k;
    if (row < 0 || row >= layer->in_h || at < 0 || at >= row_bytes) return (int16_t)layer->input_zero_point;
    return corner.image[row * row_bytes + at];
}

/* The whole groups of all runs. */
EC_SPECIALIZED void ec_conv_2d_few_s8_whole(const ec_conv_2d_few_s8_layer *layer, ec_conv_2d_few_s8_corner corner,
                                            int i, int16_t *scratch)
{
    int y, x, k, to = 0;
    for (y = 0; y < layer->kernel_h; ++y) {
        for (x = 0; x < layer->runs_w; ++x) {
            for (k = 0; k < layer->run / 4 * 4; ++k, ++to) {
                scratch[ec_conv_2d_few_s8_place(to, i)] = ec_conv_2d_few_s8_value(layer, corner, y, x, k);
            }
        }
    }
}

/* What runs have behind their whole groups. */
EC_SPECIALIZED void ec_conv_2d_few_s8_rest(const ec_conv_2d_few_s8_layer *layer, ec_conv_2d_few_s8_corner corner,
                                           int i, int16_t *scratch)
{
    int y, x, k, to = layer->kernel_h * layer->runs_w * (layer->run / 4 * 4);
    for (y = 0; layer->run % 4 != 0 && y < layer->kernel_h; ++y) {
        for (x = 0; x < layer->runs_w; ++x) {
            for (k = layer->run / 4 * 4; k < layer->run; ++k, ++to) {
                scratch[ec_conv_2d_few_s8_place(to, i)] = ec_conv_2d_few_s8_value(layer, corner, y, x, k);
            }
        }
    }
}

#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
#include "conv_2d_few_dsp.h"
#endif

/* The inputs of two pixels. */
EC_SPECIALIZED void ec_conv_2d_few_s8_gather(const ec_conv_2d_few_s8_layer *layer,
                                             const ec_conv_2d_few_s8_corner *corners, int16_t *scratch)
{
    int i;
#ifdef EC_CONV_2D_FEW_DSP_H_
    if (layer->in_w * layer->in_c >= 4) {
        ec_conv_2d_few_dsp_gather(layer, corners, scratch);
        return;
    }
#endif
    for (i = 0; i < 2; ++i) {
        ec_conv_2d_few_s8_whole(layer, corners[i], i, scratch);
        ec_conv_2d_few_s8_rest(layer, corners[i], i, scratch);
    }
}

EC_SPECIALIZED int8_t ec_conv_2d_few_s8_output(const ec_conv_2d_few_s8_layer *layer, int channel, int32_t sum)
{
    const int i = channel % 4;
    if (layer->line_shift) {
        const int32_t *const line = layer->lines + channel / 4 * EC_CONV_2D_FEW_LINES;
        sum = ec_line(sum * 256 + line[(1 - i % 2) * 2 + i / 2], line[4 + i], layer->base, layer->line_shift);
    } else {
        const int32_t *const quad = layer->quads + channel / 4 * EC_CONV_2D_FEW_QUAD;
        const int right = (int8_t)(((uint32_t)quad[8] >> (8 * i)) & 0xffu);
        sum = ec_scale(ec_add(sum, quad[i % 2 * 2 + i / 2]), quad[4 + i], -right, layer->rounding);
        sum = ec_add(sum, layer->output_zero_point);
    }
    return ec_narrow(sum, layer->lowest, layer->highest);
}

/* Sums of an even and the odd channel behind it for both pixels: even, even, odd, odd. */
EC_SPECIALIZED void ec_conv_2d_few_s8_sums(const int16_t *weights, const int16_t *pixels, int groups, int32_t *sums)
{
    int32_t even_0 = 0, even_1 = 0, odd_0 = 0, odd_1 = 0;
    int half, i;
    for (half = 0; half < 2 * groups; ++half, weights += 4, pixels += 4) {
        for (i = 0; i < 2; ++i) {
            const int32_t even = (int8_t)(weights[i] & 0xff), odd = (weights[i] - even) >> 8;
            even_0 += even * pixels[i];
            even_1 += even * pixels[2 + i];
            odd_0 += odd * pixels[i];
            odd_1 += odd * pixels[2 + i];
        }
    }
    sums[0] = even_0;
    sums[1] = even_1;
    sums[2] = odd_0;
    sums[3] = odd_1;
}

/* Two pixels times all weights; the second goes `step` behind the first, nowhere else where that is 0. */
EC_SPECIALIZED void ec_conv_2d_few_s8_times_two(const ec_conv_2d_few_s8_layer *layer, const int16_t *pixels,
                                                int8_t *output, int step)
{
    int channel, i;
    for (channel = 0; channel < layer->out_c; ++channel) {
        int32_t sums[4];
        ec_conv_2d_few_s8_sums(layer->weights + channel / 4 * layer->groups * 8 + channel % 4, pixels, layer->groups,
                               sums);
        for (i = 0; i < 2; ++i) output[i * step + channel] = ec_conv_2d_few_s8_output(layer, channel, sums[i]);
        if (++channel == layer->out_c) return;
        for (i = 0; i < 2; ++i) output[i * step + channel] = ec_conv_2d_few_s8_output(layer, channel, sums[2 + i]);
    }
}

/* The next output pixel's corner. */
EC_SPECIALIZED void ec_conv_2d_few_s8_advance(const ec_conv_2d_few_s8_layer *layer, ec_conv_2d_few_s8_corner *corner)
{
    corner->column += layer->stride_w;
    if (corner->column < layer->out_w * layer->stride_w - layer->pad_left) return;
    corner->column = -layer->pad_left;
    corner->row += layer->stride_h;
    if (corner->row < layer->out_h * layer->stride_h - layer->pad_top) return;
    corner->row = -layer->pad_top;
    corner->image += layer->in_h * layer->in_w * layer->in_c;
}

/* `pixels` output pixels in a row, the first one's window beginning at `next`. */
EC_SPECIALIZED void ec_conv_2d_few_s8_pixels(const ec_conv_2d_few_s8_layer *layer, ec_conv_2d_few_s8_corner next,
                                             int pixels, int8_t *output, int16_t *inputs)
{
    int pixel;
    for (pixel = 0; pixel < pixels; pixel += 2, output += 2 * layer->out_c) {
        /* The last of an odd number is made twice, at one place. */
        const int step = pixel + 1 < pixels ? layer->out_c : 0;
        ec_conv_2d_few_s8_corner corners[2];
        corners[0] = next;
        if (step) ec_conv_2d_few_s8_advance(layer, &next);
        corners[1] = next;
        ec_conv_2d_few_s8_advance(layer, &next);
        ec_conv_2d_few_s8_gather(layer, corners, inputs);
#ifdef EC_CONV_2D_FEW_DSP_H_
        if (layer->is_plain) {
            ec_conv_2d_few_dsp_times_two(layer, inputs, output, step);
            continue;
        }
#endif
        ec_conv_2d_few_s8_times_two(layer, inputs, output, step);
    }
}

/* Zeros where the last group of inputs has none. */
EC_SPECIALIZED void ec_conv_2d_few_s8_begin(const ec_conv_2d_few_s8_layer *layer, int16_t *inputs)
{
    int i;
    for (i = 0; i < 8; ++i) inputs[(layer->groups - 1) * 8 + i] = 0;
}

EC_SPECIALIZED void ec_conv_2d_few_s8(const ec_conv_2d_few_s8_layer *layer, const int8_t *input, int8_t *output,
                                      void *scratch)
{
    const ec_conv_2d_few_s8_corner first = {input, -layer->pad_top, -layer->pad_left};
    ec_conv_2d_few_s8_begin(layer, (int16_t *)scratch);
    ec_conv_2d_few_s8_pixels(layer, first, layer->batches * layer->out_h * layer->out_w, output, (int16_t *)scratch);
}

#endif /* EC_CONV_2D_FEW_S8_H_ */
