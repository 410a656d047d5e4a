/* CONV_2D with groups or with any weights, int8[n, in_h, in_w, in_c] to int8[n, out_h, out_w, out_c].
 *
 * layer    literal settings, so that the compiler makes the kernel for this layer
 * input    int8, layer->in_* as sizes
 * output   int8; must not overlap the input
 *
 * Weights are int8[out_c][kernel_h][kernel_w][group_c]; out_c / (in_c / group_c) outputs share a group of inputs. The
 * bias has the input's zero point folded in, so padding is the zero point. Nothing is allocated.
 */
#ifndef EC_CONV_2D_ANY_S8_H_
#define EC_CONV_2D_ANY_S8_H_

#include "rounding.h"

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int group_c;
    int input_zero_point, output_zero_point, lowest, highest;
    int rounding;
} ec_conv_2d_any_s8_layer;

/* The sum of one output channel of one pixel whose window begins at (top, left). */
EC_SPECIALIZED int32_t ec_conv_2d_any_s8_sum(const ec_conv_2d_any_s8_layer *layer, const int8_t *image, int top,
                                             int left, int channel)
{
    const int per_group = layer->out_c / (layer->in_c / layer->group_c);
    const int8_t *weights = layer->weights + channel * layer->kernel_h * layer->kernel_w * layer->group_c;
    int32_t sum = layer->bias[channel];
    int y, x, c;
    for (y = 0; y < layer->kernel_h; ++y) {
        for (x = 0; x < layer->kernel_w; ++x, weights += layer->group_c) {
            const int row = top + y * layer->dilation_h, column = left + x * layer->dilation_w;
            const int inside = row >= 0 && row < layer->in_h && column >= 0 && column < layer->in_w;
            const int8_t *const from =
                image + (row * layer->in_w + column) * layer->in_c + (channel / per_group) * layer->group_c;
            for (c = 0; c < layer->group_c; ++c) {
                sum = ec_add(sum, weights[c] * (inside ? from[c] : layer->input_zero_point));
            }
        }
    }
    return sum;
}

EC_SPECIALIZED void ec_conv_2d_any_s8(const ec_conv_2d_any_s8_layer *layer, const int8_t *input, int8_t *output)
{
    int n, oy, ox, o;
    for (n = 0; n < layer->batches; ++n, input += layer->in_h * layer->in_w * layer->in_c) {
        for (oy = 0; oy < layer->out_h; ++oy) {
            for (ox = 0; ox < layer->out_w; ++ox) {
                for (o = 0; o < layer->out_c; ++o) {
                    int32_t sum = ec_conv_2d_any_s8_sum(layer, input, oy * layer->stride_h - layer->pad_top,
                                                        ox * layer->stride_w - layer->pad_left, o);
                    sum = ec_scale(sum, layer->multiplier[o], layer->shift[o], layer->rounding);
                    sum = ec_add(sum, layer->output_zero_point);
                    *output++ = ec_narrow(sum, layer->lowest, layer->highest);
                }
            }
        }
    }
}

#endif /* EC_CONV_2D_ANY_S8_H_ */
