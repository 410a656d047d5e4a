/* CONV_2D, int8[n, in_h, in_w, in_c] to int8[n, out_h, out_w, out_c].
 *
 * layer    literal settings (see the struct), so that the compiler makes the kernel for this layer
 * input    int8, layer->in_* as sizes
 * output   int8; may overlap the input where each block of four pixels is written behind what is still to be read
 * scratch  int16[groups * 16]: the inputs of four output pixels; must not overlap the others; 4-byte aligned
 *
 * Weights are int16[ceil(out_c / 2)][groups * 4]: two output channels in each (pairs.h). The bias has the input's
 * zero point folded in, so padding is the zero point. Nothing is allocated, nothing outside the output is written.
 */
#ifndef EC_CONV_2D_S8_H_
#define EC_CONV_2D_S8_H_

#include "lines.h"

typedef struct {
    const int16_t *weights;
    const int32_t *lines;    /* lines.h; null where sums are scaled as in pairs.h, which reads the next two */
    const int32_t *channels; /* bias and multiplier of each */
    const int8_t *right_shift;
    const int8_t *border; /* in_c times the input's zero point; null where in_c is no multiple of four */
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int groups; /* ceil(kernel_h * kernel_w * in_c / 4) */
    int line_shift, base;
    int input_zero_point, output_zero_point, lowest, highest;
    int is_plain, rounding;
} ec_conv_2d_s8_layer;

/* Where tap (y, x) of an output pixel lies in the input, or the border where it lies outside. */
EC_SPECIALIZED const int8_t *ec_conv_2d_s8_tap(const ec_conv_2d_s8_layer *layer, const int8_t *image, int row,
                                               int column, const int8_t *border)
{
    const int inside = row >= 0 && row < layer->in_h && column >= 0 && column < layer->in_w;
    return inside ? image + (row * layer->in_w + column) * layer->in_c : border;
}

/* Output pixels `pixel`, + step_1, + step_2 and + step_1 + step_2. */
EC_SPECIALIZED void ec_conv_2d_s8_gather(const ec_conv_2d_s8_layer *layer, const int8_t *input, int pixel, int step_1,
                                         int step_2, int16_t *scratch)
{
    const int image_bytes = layer->in_h * layer->in_w * layer->in_c;
    const int8_t *image[4];
    int row[4], column[4], i, y, x, c, k = 0;
    for (i = 0; i < 4; ++i) {
        const int p = pixel + (i % 2) * step_1 + (i / 2) * step_2;
        const int inside = p % (layer->out_h * layer->out_w);
        image[i] = input + (p / (layer->out_h * layer->out_w)) * image_bytes;
        row[i] = (inside / layer->out_w) * layer->stride_h - layer->pad_top;
        column[i] = (inside % layer->out_w) * layer->stride_w - layer->pad_left;
    }
    if (layer->in_c % 4 != 0) {
        for (i = 0; i < 16; ++i) scratch[(layer->groups - 1) * 16 + i] = 0;
    }
    for (y = 0; y < layer->kernel_h; ++y) {
        for (x = 0; x < layer->kernel_w; ++x) {
            const int8_t *tap[4];
            for (i = 0; i < 4; ++i) {
                tap[i] = ec_conv_2d_s8_tap(layer, image[i], row[i] + y * layer->dilation_h,
                                           column[i] + x * layer->dilation_w, layer->border);
            }
            if (layer->in_c % 4 == 0) {
                scratch = ec_pairs_spread(tap[0], tap[1], tap[2], tap[3], layer->in_c, scratch);
            } else {
                for (c = 0; c < layer->in_c; ++c, ++k) {
                    for (i = 0; i < 4; ++i) {
                        const int16_t value = tap[i] ? tap[i][c] : (int16_t)layer->input_zero_point;
                        scratch[ec_pairs_place(k) + 2 * i] = value;
                    }
                }
            }
        }
    }
}

EC_SPECIALIZED void ec_conv_2d_s8(const ec_conv_2d_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const int pixels = layer->batches * layer->out_h * layer->out_w;
    const ec_pairs_scaling scaling = {layer->channels, layer->right_shift, layer->output_zero_point, layer->lowest,
                                      layer->highest,  layer->is_plain,    layer->rounding, 0, 0, 0};
    ec_lines_work work;
    int pixel, count;
    if (layer->lines) {
        ec_lines_begin(&work, layer->weights, (const int16_t *)scratch, layer->groups, layer->out_c, layer->lines,
                       layer->base);
    }
    for (pixel = 0; pixel < pixels; pixel += count) {
        /* Four pixels at a time; what is left over as two that are each there twice, or one four times. */
        const int left = pixels - pixel, step_1 = left < 4 ? 0 : 1, step_2 = left < 4 ? left / 2 : 2;
        count = left < 4 ? 1 + left / 2 : 4;
        ec_conv_2d_s8_gather(layer, input, pixel, step_1, step_2, (int16_t *)scratch);
        if (layer->lines) {
            ec_lines_place(&work, output + pixel * layer->out_c, step_1 * layer->out_c, step_2 * layer->out_c);
            ec_lines_times_four(&work, layer->line_shift, layer->out_c, layer->lowest, layer->highest);
        } else {
            ec_pairs_times_four(layer->weights, (const int16_t *)scratch, layer->groups, layer->out_c, &scaling,
                                output + pixel * layer->out_c, step_1 * layer->out_c, step_2 * layer->out_c);
        }
    }
}

#endif /* EC_CONV_2D_S8_H_ */
