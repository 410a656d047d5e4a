/* CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED of int16 or float32, [n, in_h, in_w, in_c] to [n, out_h, out_w, out_c].
 *
 * layer    literal settings, and the activations' type (elements.h): int16 with int8 weights and sums of 64 bits, or
 *          float32 throughout
 * input, output   elements; must not overlap
 *
 * Weights are [out_c][kernel_h][kernel_w][group_c], those of int16 in the order of wide_dot.h within a group;
 * out_c / (in_c / group_c) outputs share a group of inputs.
 * Nothing is allocated.
 */
#ifndef EC_CONVOLVE_H_
#define EC_CONVOLVE_H_

#include "elements.h"
#include "wide_dot.h"

typedef struct {
    const int8_t *weights;
    const int64_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    const float *real_weights, *real_bias;
    int type;
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int group_c;
    int lowest, highest;
    int is_bounded; /* whether float32 results have bounds */
    float real_lowest, real_highest;
} ec_convolve_layer;

/* Whether a row of a window is one run of int16 inputs, and the weights for it one run in fours. */
EC_SPECIALIZED int ec_convolve_is_joined(const ec_convolve_layer *layer)
{
    return layer->type != EC_F32 && layer->group_c == layer->in_c && layer->group_c % 4 == 0 && layer->dilation_w == 1;
}

/* Products of the inputs from element `from` on, one group, with the weights from `w` on, added up. */
EC_SPECIALIZED void ec_convolve_add(const ec_convolve_layer *layer, const void *input, int from, int w, int64_t *sum,
                                    float *real)
{
    int c;
    if (layer->type == EC_F32) {
        for (c = 0; c < layer->group_c; ++c) *real += ((const float *)input)[from + c] * layer->real_weights[w + c];
    } else if (layer->group_c == 1) {
        *sum += ((const int16_t *)input)[from] * layer->weights[w];
    } else {
        *sum = ec_wide_dot((const int16_t *)input + from, layer->weights + w, layer->group_c, *sum);
    }
}

/* What the sums of an output channel give, into output element `o`. */
EC_SPECIALIZED void ec_convolve_store(const ec_convolve_layer *layer, int64_t sum, float real, int channel,
                                      void *output, int o)
{
    if (layer->type == EC_F32) {
        real += layer->real_bias[channel];
        ((float *)output)[o] = layer->is_bounded ? ec_clamp_real(real, layer->real_lowest, layer->real_highest) : real;
    } else {
        const int32_t scaled = ec_scale_long(sum + layer->bias[channel], layer->multiplier[channel],
                                             layer->shift[channel]);
        ((int16_t *)output)[o] = (int16_t)ec_clamp(scaled, layer->lowest, layer->highest);
    }
}

/* One output channel of one pixel whose window begins at (top, left), into output element `o`. */
EC_SPECIALIZED void ec_convolve_element(const ec_convolve_layer *layer, const void *input, int image, int top, int left,
                                        int channel, void *output, int o)
{
    const int per_group = layer->out_c / (layer->in_c / layer->group_c);
    const int group = (channel / per_group) * layer->group_c;
    int y, x, w = channel * layer->kernel_h * layer->kernel_w * layer->group_c;
    int64_t sum = 0;
    float real = 0.0f;
    for (y = 0; y < layer->kernel_h; ++y) {
        const int row = top + y * layer->dilation_h;
        if (row < 0 || row >= layer->in_h) {
            w += layer->kernel_w * layer->group_c;
            continue;
        }
        if (ec_convolve_is_joined(layer)) {
            /* Positions that follow each other, in the input and in the weights: those inside it, at once. */
            const int first = left < 0 ? -left : 0;
            const int last = layer->in_w - left < layer->kernel_w ? layer->in_w - left : layer->kernel_w;
            const int from = image + (row * layer->in_w + left + first) * layer->in_c;
            if (last > first) {
                sum = ec_wide_dot((const int16_t *)input + from, layer->weights + w + first * layer->group_c,
                                  (last - first) * layer->group_c, sum);
            }
            w += layer->kernel_w * layer->group_c;
            continue;
        }
        for (x = 0; x < layer->kernel_w; ++x, w += layer->group_c) {
            const int column = left + x * layer->dilation_w;
            if (column < 0 || column >= layer->in_w) continue;
            ec_convolve_add(layer, input, image + (row * layer->in_w + column) * layer->in_c + group, w, &sum, &real);
        }
    }
    ec_convolve_store(layer, sum, real, channel, output, o);
}

EC_SPECIALIZED void ec_convolve(const ec_convolve_layer *layer, const void *input, void *output)
{
    int n, oy, ox, channel, o = 0;
    for (n = 0; n < layer->batches; ++n) {
        const int image = n * layer->in_h * layer->in_w * layer->in_c;
        for (oy = 0; oy < layer->out_h; ++oy) {
            for (ox = 0; ox < layer->out_w; ++ox) {
                for (channel = 0; channel < layer->out_c; ++channel, ++o) {
                    ec_convolve_element(layer, input, image, oy * layer->stride_h - layer->pad_top,
                                        ox * layer->stride_w - layer->pad_left, channel, output, o);
                }
            }
        }
    }
}

#endif /* EC_CONVOLVE_H_ */
