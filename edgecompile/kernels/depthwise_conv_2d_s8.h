/* DEPTHWISE_CONV_2D, int8[n, in_h, in_w, in_c] to int8[n, out_h, out_w, out_c], out_c a multiple of in_c.
 *
 * layer    literal settings, so that the compiler makes the kernel for this layer
 * input    int8, layer->in_* as sizes
 * output   int8; may be the input itself where rows_at_once is out_h and the sizes are equal, else may overlap it where
 *          each output row is written behind the input rows that it and later rows need
 * scratch  int16[strip_h * strip_w]: one channel's padded rows, and behind them its weights in pairs, two int16 each
 *          (depthwise_any_dsp.h); must not overlap the others; 4-byte aligned
 *
 * Weights are int8[out_c][kernel_h * kernel_w]. The bias has the input's zero point folded in, so padding is the
 * zero point. Nothing is allocated, nothing outside the output is written.
 */
#ifndef EC_DEPTHWISE_CONV_2D_S8_H_
#define EC_DEPTHWISE_CONV_2D_S8_H_

#include "rounding.h"

typedef struct {
    const int8_t *weights;
    const int32_t *lines; /* offset and slope of each channel where line_shift is not 0 (lines.h), else null; then: */
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int rows_at_once; /* output rows made from one strip: all of them, or one */
    int strip_h, strip_w;
    int line_shift, base;
    int input_zero_point, output_zero_point, lowest, highest;
    int is_plain, rounding;
} ec_depthwise_conv_2d_s8_layer;

/* Fill a strip with what lies outside the input; channels write over the rest. */
EC_SHARED void ec_depthwise_conv_2d_s8_border(int16_t *strip, int count, int zero_point)
{
    int i;
    for (i = 0; i < count; ++i) strip[i] = (int16_t)zero_point;
}

#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
#include "depthwise_dsp.h"
#endif
#if defined(__ARM_FEATURE_MVE) && defined(__thumb__) && defined(__GNUC__)
#include "depthwise_mve.h"
#endif

/* One channel's input rows that the strip covers, as int16. */
EC_SPECIALIZED void ec_depthwise_conv_2d_s8_strip(const ec_depthwise_conv_2d_s8_layer *layer, const int8_t *channel,
                                                  int top, int16_t *strip)
{
    const int first = top < 0 ? 0 : top;
    const int behind = top + layer->strip_h < layer->in_h ? top + layer->strip_h : layer->in_h;
    const int8_t *from = channel + first * layer->in_w * layer->in_c;
    int16_t *row = strip + (first - top) * layer->strip_w + layer->pad_left;
    int y, x;
#ifdef EC_DEPTHWISE_DSP_H_
    if (layer->in_w > 8) {
        ec_depthwise_dsp_rows(from, layer->in_c, layer->in_w, behind - first, layer->in_w * layer->in_c, row,
                              layer->strip_w);
        return;
    }
#endif
    for (y = first; y < behind; ++y, row += layer->strip_w) {
        EC_UNROLLED
        for (x = 0; x < layer->in_w; ++x, from += layer->in_c) row[x] = *from;
    }
}

EC_SPECIALIZED int8_t ec_depthwise_conv_2d_s8_output(const ec_depthwise_conv_2d_s8_layer *layer, int channel,
                                                     int32_t sum)
{
    if (layer->line_shift) {
        const int32_t *const line = layer->lines + 2 * channel;
        sum = ec_line(sum * 256 + line[0], line[1], layer->base, layer->line_shift);
    } else {
        const int32_t whole = ec_add(sum, layer->bias[channel]), multiplier = layer->multiplier[channel];
        const int shift = layer->shift[channel];
        sum = layer->is_plain ? ec_scale_small(whole, multiplier, shift, layer->rounding)
                              : ec_scale(whole, multiplier, shift, layer->rounding);
        sum = ec_add(sum, layer->output_zero_point);
    }
    return ec_narrow(sum, layer->lowest, layer->highest);
}

#ifdef EC_DEPTHWISE_DSP_H_
#include "depthwise_any_dsp.h"
#endif

/* One channel of `rows_at_once` output rows from its strip. */
EC_SPECIALIZED void ec_depthwise_conv_2d_s8_rows(const ec_depthwise_conv_2d_s8_layer *layer, const int16_t *strip,
                                                 int channel, int8_t *output)
{
    const int8_t *const weights = layer->weights + channel * layer->kernel_h * layer->kernel_w;
    int oy, ox, y, x;
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
            *output = ec_depthwise_conv_2d_s8_output(layer, channel, sum);
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
#ifdef EC_DEPTHWISE_DSP_H_
    ec_depthwise_dsp_work work;
    ec_depthwise_dsp_begin(layer, strip, &work);
#endif
    for (n = 0; n < layer->batches; ++n, input += layer->in_h * layer->in_w * layer->in_c) {
        for (oy = 0; oy < layer->out_h; oy += layer->rows_at_once) {
            const int top = oy * layer->stride_h - layer->pad_top;
            /* Rows outside the input come first and last. */
            if (oy == 0 || top + layer->strip_h > layer->in_h) {
                ec_depthwise_conv_2d_s8_border(strip, layer->strip_h * layer->strip_w, layer->input_zero_point);
            }
            for (c = 0; c < layer->in_c; ++c) {
                ec_depthwise_conv_2d_s8_strip(layer, input + c, top, strip);
                for (m = 0; m < multiplicity; ++m) {
                    const int channel = c * multiplicity + m;
#ifdef EC_DEPTHWISE_DSP_H_
                    if (ec_depthwise_dsp_takes(layer)) {
                        ec_depthwise_dsp_channel(layer, channel, output, &work);
                        continue;
                    }
#endif
#ifdef EC_DEPTHWISE_ANY_DSP_H_
                    if (ec_depthwise_any_dsp_takes(layer)) {
                        ec_depthwise_any_dsp_rows(layer, strip, channel, output + channel);
                        continue;
                    }
#endif
                    ec_depthwise_conv_2d_s8_rows(layer, strip, channel, output + channel);
                }
            }
            output += layer->rows_at_once * layer->out_w * layer->out_c;
        }
    }
#ifdef EC_DEPTHWISE_DSP_H_
    if (ec_depthwise_dsp_takes(layer)) ec_depthwise_dsp_cut(layer, output);
#endif
}

#endif /* EC_DEPTHWISE_CONV_2D_S8_H_ */
