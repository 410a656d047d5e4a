/* DEPTHWISE_CONV_2D, int8[n, in_h, in_w, in_c] to int8[n, out_h, out_w, out_c], out_c a multiple of in_c.
 *
 * layer    literal settings, so that the compiler makes the kernel for this layer
 * input    int8, layer->in_* as sizes
 * output   int8; may be the input itself where rows_at_once is out_h and the sizes are equal, else may overlap it where
 *          each output row is written behind the input rows that it and later rows need
 * scratch  int16[strip_h * strip_w]: one channel's padded rows; must not overlap the others; 4-byte aligned
 *
 * Weights are int8[out_c][kernel_h * kernel_w]. The bias has the input's zero point folded in, so padding is the
 * zero point. Nothing is allocated, nothing outside the output is written.
 */
#ifndef EC_DEPTHWISE_CONV_2D_S8_H_
#define EC_DEPTHWISE_CONV_2D_S8_H_

#include "rounding.h"

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int rows_at_once; /* output rows made from one strip: all of them, or one */
    int strip_h, strip_w;
    int input_zero_point, output_zero_point, lowest, highest;
    int is_plain, rounding;
} ec_depthwise_conv_2d_s8_layer;

/* Fill what of a strip lies outside the input; it is the same for all channels. `top` is the strip's first row. */
EC_SPECIALIZED void ec_depthwise_conv_2d_s8_border(const ec_depthwise_conv_2d_s8_layer *layer, int top, int16_t *strip)
{
    const int16_t zero = (int16_t)layer->input_zero_point;
    int y, x;
    for (y = 0; y < layer->strip_h; ++y) {
        const int outside = top + y < 0 || top + y >= layer->in_h;
        for (x = 0; x < layer->strip_w; ++x, ++strip) {
            if (outside || x < layer->pad_left || x >= layer->pad_left + layer->in_w) *strip = zero;
        }
    }
}

/* One channel's input rows that the strip covers, as int16. */
EC_SPECIALIZED void ec_depthwise_conv_2d_s8_strip(const ec_depthwise_conv_2d_s8_layer *layer, const int8_t *channel,
                                                  int top, int16_t *strip)
{
    const int first = top < 0 ? 0 : top;
    const int behind = top + layer->strip_h < layer->in_h ? top + layer->strip_h : layer->in_h;
    const int8_t *from = channel + first * layer->in_w * layer->in_c;
    int16_t *row = strip + (first - top) * layer->strip_w + layer->pad_left;
    int y, x;
    for (y = first; y < behind; ++y, row += layer->strip_w) {
        EC_UNROLLED
        for (x = 0; x < layer->in_w; ++x, from += layer->in_c) row[x] = *from;
    }
}

#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
#include "depthwise_dsp.h"
#endif
#if defined(__ARM_FEATURE_MVE) && defined(__thumb__) && defined(__GNUC__)
#include "depthwise_mve.h"
#endif

/* One channel of `rows_at_once` output rows from its strip. */
EC_SPECIALIZED void ec_depthwise_conv_2d_s8_rows(const ec_depthwise_conv_2d_s8_layer *layer, const int16_t *strip,
                                                 int channel, int8_t *output)
{
    const int8_t *const weights = layer->weights + channel * layer->kernel_h * layer->kernel_w;
    const int32_t bias = layer->bias[channel], multiplier = layer->multiplier[channel];
    const int shift = layer->shift[channel];
    int oy, ox, y, x;
#ifdef EC_DEPTHWISE_DSP_H_
    if (layer->is_plain && layer->kernel_h == 3 && layer->kernel_w == 3 && layer->dilation_h == 1 &&
        layer->dilation_w == 1) {
        const ec_depthwise_dsp_scaling scaling = {
            bias, multiplier, -shift, layer->output_zero_point, layer->lowest, layer->highest};
        const ec_depthwise_dsp_weights nine = ec_depthwise_dsp_load(weights);
        const int32_t half = ((2 * layer->output_zero_point + 1) * (1 << -shift)) >> 1;
        for (oy = 0; oy < layer->rows_at_once; ++oy, strip += layer->stride_h * layer->strip_w) {
            ec_depthwise_dsp_row_3x3(&nine, strip, layer->strip_w, layer->stride_w, layer->out_w, layer->out_c,
                                     &scaling, half, output + oy * layer->out_w * layer->out_c);
        }
        return;
    }
#endif
    for (oy = 0; oy < layer->rows_at_once; ++oy) {
        for (ox = 0; ox < layer->out_w; ++ox, output += layer->out_c) {
            const int16_t *const corner = strip + oy * layer->stride_h * layer->strip_w + ox * layer->stride_w;
            int32_t sum = 0;
            for (y = 0; y < layer->kernel_h; ++y) {
                for (x = 0; x < layer->kernel_w; ++x) {
                    sum += weights[y * layer->kernel_w + x] *
                           corner[y * layer->dilation_h * layer->strip_w + x * layer->dilation_w];
                }
            }
            sum = ec_scale(ec_add(sum, bias), multiplier, shift, layer->rounding);
            *output = ec_narrow(ec_add(sum, layer->output_zero_point), layer->lowest, layer->highest);
        }
    }
}

EC_SPECIALIZED void ec_depthwise_conv_2d_s8(const ec_depthwise_conv_2d_s8_layer *layer, const int8_t *input,
                                            int8_t *output, void *scratch)
{
    const int multiplicity = layer->out_c / layer->in_c;
    int16_t *const strip = (int16_t *)scratch;
    int n, oy, c, m;
#ifdef EC_DEPTHWISE_MVE_H_
    if (ec_depthwise_mve_takes(layer)) {
        ec_depthwise_mve(layer, input, output, (int8_t *)scratch);
        return;
    }
#endif
    for (n = 0; n < layer->batches; ++n, input += layer->in_h * layer->in_w * layer->in_c) {
        for (oy = 0; oy < layer->out_h; oy += layer->rows_at_once) {
            ec_depthwise_conv_2d_s8_border(layer, oy * layer->stride_h - layer->pad_top, strip);
            for (c = 0; c < layer->in_c; ++c) {
                ec_depthwise_conv_2d_s8_strip(layer, input + c, oy * layer->stride_h - layer->pad_top, strip);
                for (m = 0; m < multiplicity; ++m) {
                    const int channel = c * multiplicity + m;
                    ec_depthwise_conv_2d_s8_rows(layer, strip, channel, output + channel);
                }
            }
            output += layer->rows_at_once * layer->out_w * layer->out_c;
        }
    }
}

#endif /* EC_DEPTHWISE_CONV_2D_S8_H_ */
