/* TRANSPOSE_CONV of int16 or float32, [n, in_h, in_w, in_c] to [n, out_h, out_w, out_c].
 *
 * layer    literal settings, and the activations' type (elements.h): int16 with int8 weights and sums of 64 bits, or
 *          float32 throughout
 * input, output   elements; must not overlap
 *
 * Weights are [out_c][kernel_h][kernel_w][in_c], those of int16 in the order of wide_dot.h at each position. Each output
 * gathers what the scattering form would add to it. Nothing is allocated.
 */
#ifndef EC_TRANSPOSE_CONVOLVE_H_
#define EC_TRANSPOSE_CONVOLVE_H_

#include "elements.h"
#include "transpose_conv_s8.h"
#include "wide_dot.h"

typedef struct {
    const int8_t *weights;
    const int64_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    const float *real_weights, *real_bias;
    int type;
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
} ec_transpose_convolve_layer;

/* One output channel of output pixel (oy, ox) of the image whose input begins at element `image`, into element `o`. */
EC_SPECIALIZED void ec_transpose_convolve_element(const ec_transpose_convolve_layer *layer, const void *input,
                                                  int image, int oy, int ox, int channel, void *output, int o)
{
    int64_t sum = 0;
    float real = 0.0f;
    int y, x, c;
    /* Taps backwards are inputs forwards: the order in which the reference adds floats. */
    for (y = layer->kernel_h - 1; y >= 0; --y) {
        const int row = ec_transpose_conv_s8_source(oy, layer->pad_top, y, layer->stride_h, layer->in_h);
        for (x = layer->kernel_w - 1; x >= 0; --x) {
            const int w = ((channel * layer->kernel_h + y) * layer->kernel_w + x) * layer->in_c;
            const int column = ec_transpose_conv_s8_source(ox, layer->pad_left, x, layer->stride_w, layer->in_w);
            const int from = image + (row * layer->in_w + column) * layer->in_c;
            if (row < 0 || column < 0) continue;
            if (layer->type == EC_F32) {
                for (c = 0; c < layer->in_c; ++c) {
                    real += ((const float *)input)[from + c] * layer->real_weights[w + c];
                }
            } else {
                sum = ec_wide_dot((const int16_t *)input + from, layer->weights + w, layer->in_c, sum);
            }
        }
    }
    if (layer->type == EC_F32) {
        ((float *)output)[o] = real + layer->real_bias[channel];
    } else {
        const int32_t scaled = ec_scale_long(sum + layer->bias[channel], layer->multiplier[channel],
                                             layer->shift[channel]);
        ((int16_t *)output)[o] = (int16_t)ec_clamp(scaled, INT16_MIN, INT16_MAX);
    }
}

EC_SPECIALIZED void ec_transpose_convolve(const ec_transpose_convolve_layer *layer, const void *input, void *output)
{
    int n, oy, ox, channel, o = 0;
    for (n = 0; n < layer->batches; ++n) {
        const int image = n * layer->in_h * layer->in_w * layer->in_c;
        for (oy = 0; oy < layer->out_h; ++oy) {
            for (ox = 0; ox < layer->out_w; ++ox) {
                for (channel = 0; channel < layer->out_c; ++channel, ++o) {
                    ec_transpose_convolve_element(layer, input, image, oy, ox, channel, output, o);
                }
            }
        }
    }
}

#endif /* EC_TRANSPOSE_CONVOLVE_H_ */
