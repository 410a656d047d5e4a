/* TRANSPOSE_CONV of int16 or float32, [n, in_h, in_w, in_c] to [n, out_h, out_w, out_c].
 *
 * layer    as of convolve.h, with all inputs in one group
 * input, output   elements; must not overlap
 *
 * Weights are [out_c][kernel_h][kernel_w][in_c], those of int16 in the order of wide_dot.h at each position. Each output
 * gathers what the scattering form would add to it. Nothing is allocated.
 */
#ifndef EC_TRANSPOSE_CONVOLVE_H_
#define EC_TRANSPOSE_CONVOLVE_H_

#include "convolve.h"
#include "transpose_conv_s8.h"

typedef ec_convolve_layer ec_transpose_convolve_layer;

/* One output channel of output pixel (oy, ox) of the image whose input begins at element `image`, into element `o`. */
EC_SPECIALIZED void ec_transpose_convolve_element(const ec_transpose_convolve_layer *layer, const void *input,
                                                  int image, int oy, int ox, int channel, void *output, int o)
{
    int64_t sum = 0;
    float real = 0.0f;
    int y, x;
    /* Taps backwards are inputs forwards: the order in which the reference adds floats. */
    for (y = layer->kernel_h - 1; y >= 0; --y) {
        const int row = ec_transpose_conv_s8_source(oy, layer->pad_top, y, layer->stride_h, layer->in_h);
        for (x = layer->kernel_w - 1; x >= 0; --x) {
            const int w = ((channel * layer->kernel_h + y) * layer->kernel_w + x) * layer->in_c;
            const int column = ec_transpose_conv_s8_source(ox, layer->pad_left, x, layer->stride_w, layer->in_w);
            const int from = image + (row * layer->in_w + column) * layer->in_c;
            if (row >= 0 && column >= 0) ec_convolve_add(layer, input, from, w, &sum, &real);
        }
    }
    ec_convolve_store(layer, sum, real, channel, output, o);
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
