/* Depthwise convolution of any size on cores with DSP instructions, over an int16 strip: depthwise_conv_2d_s8.h.
 *
 * Two products with each SMLAD, of four outputs in turn: a load of two weights serves eight products. Weights are
 * spread into pairs once for a channel's rows, behind its strip: uint32_t[kernel_h][ceil(kernel_w / 2)], the last of a
 * row with 0. Pairs of inputs lie at any int16. Sums are modulo 2^32, as in C. Nothing is allocated.
 */
#ifndef EC_DEPTHWISE_ANY_DSP_H_
#define EC_DEPTHWISE_ANY_DSP_H_

/* Whether what follows takes the layer. */
EC_SPECIALIZED int ec_depthwise_any_dsp_takes(const ec_depthwise_conv_2d_s8_layer *layer)
{
    return layer->kernel_w > 1 && layer->dilation_w == 1;
}

EC_SPECIALIZED uint32_t ec_depthwise_any_dsp_load(const int16_t *from)
{
    uint32_t both;
    __builtin_memcpy(&both, from, sizeof both);
    return both;
}

EC_SPECIALIZED int32_t ec_depthwise_any_dsp_two(uint32_t x, uint32_t w, int32_t sum)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(x), "r"(w));
    return sum;
}

/* A channel's weights in pairs. */
EC_SPECIALIZED void ec_depthwise_any_dsp_pairs(const ec_depthwise_conv_2d_s8_layer *layer, int channel, uint32_t *pairs)
{
    const int8_t *weights = layer->weights + channel * layer->kernel_h * layer->kernel_w;
    int y, x;
    for (y = 0; y < layer->kernel_h; ++y) {
        for (x = 0; x < layer->kernel_w / 2; ++x, weights += 2) {
            *pairs++ = ((uint32_t)weights[0] & 0xffffu) | (uint32_t)weights[1] << 16;
        }
        if (layer->kernel_w % 2 != 0) *pairs++ = (uint32_t)*weights++ & 0xffffu;
    }
}

/* An output whose window begins at `corner` in the strip. */
EC_SPECIALIZED void ec_depthwise_any_dsp_one(const ec_depthwise_conv_2d_s8_layer *layer, const int16_t *corner,
                                             const uint32_t *pairs, int channel, int8_t *output)
{
    int32_t sum = 0;
    int y, x;
    for (y = 0; y < layer->kernel_h; ++y, corner += layer->dilation_h * layer->strip_w) {
        EC_UNROLLED
        for (x = 0; x < layer->kernel_w; x += 2) {
            sum = ec_depthwise_any_dsp_two(ec_depthwise_any_dsp_load(corner + x), *pairs++, sum);
        }
    }
    *output = ec_depthwise_conv_2d_s8_output(layer, channel, sum);
}

/* Four outputs in a row, the first one's window beginning at `corner`. */
EC_SPECIALIZED void ec_depthwise_any_dsp_four(const ec_depthwise_conv_2d_s8_layer *layer, const int16_t *corner,
                                              const uint32_t *pairs, int channel, int8_t *output)
{
    const int stride = layer->stride_w, out_c = layer->out_c;
    int32_t first = 0, second = 0, third = 0, fourth = 0;
    int y, x;
    for (y = 0; y < layer->kernel_h; ++y, corner += layer->dilation_h * layer->strip_w) {
        EC_UNROLLED
        for (x = 0; x < layer->kernel_w; x += 2) {
            const uint32_t both = *pairs++;
            first = ec_depthwise_any_dsp_two(ec_depthwise_any_dsp_load(corner + x), both, first);
            second = ec_depthwise_any_dsp_two(ec_depthwise_any_dsp_load(corner + stride + x), both, second);
            third = ec_depthwise_any_dsp_two(ec_depthwise_any_dsp_load(corner + 2 * stride + x), both, third);
            fourth = ec_depthwise_any_dsp_two(ec_depthwise_any_dsp_load(corner + 3 * stride + x), both, fourth);
        }
    }
    output[0] = ec_depthwise_conv_2d_s8_output(layer, channel, first);
    output[out_c] = ec_depthwise_conv_2d_s8_output(layer, channel, second);
    output[2 * out_c] = ec_depthwise_conv_2d_s8_output(layer, channel, third);
    output[3 * out_c] = ec_depthwise_conv_2d_s8_output(layer, channel, fourth);
}

/* One channel of `rows_at_once` output rows from its strip, which has room for the pairs behind it. */
EC_SPECIALIZED void ec_depthwise_any_dsp_rows(const ec_depthwise_conv_2d_s8_layer *layer, int16_t *strip, int channel,
                                              int8_t *output)
{
    uint32_t *const pairs = (uint32_t *)(void *)(strip + layer->strip_h * layer->strip_w);
    int oy, ox;
    ec_depthwise_any_dsp_pairs(layer, channel, pairs);
    for (oy = 0; oy < layer->rows_at_once; ++oy, output += layer->out_w * layer->out_c) {
        const int16_t *const row = strip + oy * layer->stride_h * layer->strip_w;
        if (layer->out_w < 4) {
            for (ox = 0; ox < layer->out_w; ++ox) {
                ec_depthwise_any_dsp_one(layer, row + ox * layer->stride_w, pairs, channel, output + ox * layer->out_c);
            }
            continue;
        }
        /* The last four of a row may be some that have been made. */
        for (ox = 0; ox < layer->out_w; ox += 4) {
            const int o = ox + 4 < layer->out_w ? ox : layer->out_w - 4;
            ec_depthwise_any_dsp_four(layer, row + o * layer->stride_w, pairs, channel, output + o * layer->out_c);
        }
    }
}

#endif /* EC_DEPTHWISE_ANY_DSP_H_ */
