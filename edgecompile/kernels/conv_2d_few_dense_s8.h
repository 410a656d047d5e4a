/* CONV_2D of few input channels (conv_2d_few_s8.h) into FULLY_CONNECTED, int8[in_h, in_w, in_c] to int8[outputs].
 *
 * layer    literal settings (see the struct), so that the compiler makes the kernel for this layer
 * input    int8, layer->conv.in_* as sizes, one image
 * output   int8[outputs]; must not overlap the input
 * scratch  int32[outputs], int8[row] with its size rounded up to 4, and the convolution's; 4-byte aligned; must not
 *          overlap the others
 *
 * The convolution's rows go into the dense layer's sums one by one: its result is never there as a whole. Biases have
 * the zero points of what they are added to products of folded in. Nothing is allocated.
 */
#ifndef EC_CONV_2D_FEW_DENSE_S8_H_
#define EC_CONV_2D_FEW_DENSE_S8_H_

#include "conv_2d_few_s8.h"

typedef struct {
    ec_conv_2d_few_s8_layer conv;
    const int8_t *weights; /* int8[outputs][conv.out_h][row], a row of the convolution's results being `row` bytes */
    const int32_t *bias, *multiplier;
    const int8_t *shift; /* to the left */
    int outputs, row;
    int output_zero_point, lowest, highest;
    int rounding;
} ec_conv_2d_few_dense_s8_layer;

/* sum + the products of `count` weights and inputs. */
EC_SHARED int32_t ec_conv_2d_few_dense_s8_dot(const int8_t *weights, const int8_t *inputs, int count, int32_t sum)
{
    int k = 0;
#ifdef EC_CONV_2D_FEW_DSP_H_
    for (; k + 4 <= count; k += 4) {
        uint32_t w = ec_conv_2d_few_dsp_load(weights + k), x = ec_conv_2d_few_dsp_load(inputs + k), even, odd;
        __asm__("sxtb16 %[even], %[w]\n sxtb16 %[odd], %[x]\n smlad %[sum], %[even], %[odd], %[sum]\n"
                "sxtb16 %[w], %[w], ror #8\n sxtb16 %[x], %[x], ror #8\n smlad %[sum], %[w], %[x], %[sum]\n"
                : [sum] "+r"(sum), [w] "+r"(w), [x] "+r"(x), [even] "=&r"(even), [odd] "=&r"(odd));
    }
#endif
    for (; k < count; ++k) sum = ec_add(sum, weights[k] * inputs[k]);
    return sum;
}

EC_SPECIALIZED void ec_conv_2d_few_dense_s8(const ec_conv_2d_few_dense_s8_layer *layer, const int8_t *input,
                                            int8_t *output, void *scratch)
{
    const ec_conv_2d_few_s8_layer *const conv = &layer->conv;
    int32_t *const sums = (int32_t *)scratch;
    int8_t *const row = (int8_t *)(sums + layer->outputs);
    int16_t *const inputs = (int16_t *)(void *)(row + (layer->row + 3) / 4 * 4);
    int y, o;
    ec_conv_2d_few_s8_begin(conv, inputs);
    for (o = 0; o < layer->outputs; ++o) sums[o] = layer->bias[o];
    for (y = 0; y < conv->out_h; ++y) {
        const ec_conv_2d_few_s8_corner first = {input, y * conv->stride_h - conv->pad_top, -conv->pad_left};
        ec_conv_2d_few_s8_pixels(conv, first, conv->out_w, row, inputs);
        for (o = 0; o < layer->outputs; ++o) {
            const int8_t *const weights = layer->weights + (o * conv->out_h + y) * layer->row;
            sums[o] = ec_conv_2d_few_dense_s8_dot(weights, row, layer->row, sums[o]);
        }
    }
    for (o = 0; o < layer->outputs; ++o) {
        const int32_t scaled = ec_scale(sums[o], layer->multiplier[o], layer->shift[o], layer->rounding);
        output[o] = ec_narrow(ec_add(scaled, layer->output_zero_point), layer->lowest, layer->highest);
    }
}

#endif /* EC_CONV_2D_FEW_DENSE_S8_H_ */
