/* TRANSPOSE_CONV, int8[n, in_h, in_w, in_c] to int8[n, out_h, out_w, out_c].
 *
 * layer    literal settings, so that the compiler makes the kernel for this layer
 * input    int8, layer->in_* as sizes
 * output   int8; must not overlap the input
 *
 * Weights are int8[out_c][kernel_h][kernel_w][in_c]. Each output gathers what the scattering form would add to it.
 * Nothing is allocated.
 */
#ifndef EC_TRANSPOSE_CONV_S8_H_
#define EC_TRANSPOSE_CONV_S8_H_

#include "rounding.h"

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int input_zero_point, output_zero_point, lowest, highest;
    int rounding;
} ec_transpose_conv_s8_layer;

/* The input coordinate whose tap `tap` falls on output `place`, or -1. */
EC_SPECIALIZED int ec_transpose_conv_s8_source(int place, int padding, int tap, int stride, int size)
{
    const int shifted = place + padding - tap;
    return shifted >= 0 && shifted % stride == 0 && shifted / stride < size ? shifted / stride : -1;
}

EC_SPECIALIZED int32_t ec_transpose_conv_s8_sum(const ec_transpose_conv_s8_layer *layer, const int8_t *image, int oy,
                                                int ox, int channel)
{
    int32_t sum = layer->bias[channel];
    int y, x, c;
    for (y = 0; y < layer->kernel_h; ++y) {
        const int row = ec_transpose_conv_s8_source(oy, layer->pad_top, y, layer->stride_h, layer->in_h);
        for (x = 0; row >= 0 && x < layer->kernel_w; ++x) {
            const int column = ec_transpose_conv_s8_source(ox, layer->pad_left, x, layer->stride_w, layer->in_w);
            const int8_t *const weights =
                layer->weights + ((channel * layer->kernel_h + y) * layer->kernel_w + x) * layer->in_c;
            for (c = 0; column >= 0 && c < layer->in_c; ++c) {
                const int32_t value = image[(row * layer->in_w + column) * layer->in_c + c];
                sum = ec_add(sum, weights[c] * (value - layer->input_zero_point));
            }
        }
    }
    return sum;
}

EC_SPECIALIZED void ec_transpose_conv_s8(const ec_transpose_conv_s8_layer *layer, const int8_t *input, int8_t *output)
{
    int n, oy, ox, o;
    for (n = 0; n < layer->batches; ++n, input += layer->in_h * layer->in_w * layer->in_c) {
        for (oy = 0; oy < layer->out_h; ++oy) {
            for (ox = 0; ox < layer->out_w; ++ox) {
                for (o = 0; o < layer->out_c; ++o) {
                    int32_t sum = ec_transpose_conv_s8_sum(layer, input, oy, ox, o);
                    sum = ec_scale(sum, layer->multiplier[o], layer->shift[o], layer->rounding);
                    sum = ec_add(sum, layer->output_zero_point);
                    *output++ = ec_narrow(sum, layer->lowest, layer->highest);
                }
            }
        }
    }
}

#endif /* EC_TRANSPOSE_CONV_S8_H_ */
