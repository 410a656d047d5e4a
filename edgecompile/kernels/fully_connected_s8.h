/* FULLY_CONNECTED, int8[batches, inputs] to int8[batches, outputs].
 *
 * layer    literal settings, so that the compiler makes the kernel for this layer
 * input    int8[batches][inputs], 4-byte aligned
 * output   int8[batches][outputs]; must not overlap the input
 *
 * Weights are int16[ceil(outputs / 4)][ceil(inputs / 4)][2][4]: two outputs in each int16 (pairs.h), two such pairs
 * for a group of four inputs. The bias has the input's zero point folded in. Multiplier and shift are there for each
 * output, or once where all are equal. Nothing is allocated.
 */
#ifndef EC_FULLY_CONNECTED_S8_H_
#define EC_FULLY_CONNECTED_S8_H_

#include "pairs.h"

typedef struct {
    const int16_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift; /* to the left */
    int is_uniform;      /* one multiplier and one shift */
    int batches, inputs, outputs;
    int input_zero_point, output_zero_point, lowest, highest;
    int is_plain, rounding;
} ec_fully_connected_s8_layer;

/* Sums of four outputs over all inputs; `weights` is int16[ceil(inputs / 4)][2][4]. */
EC_SHARED void ec_fully_connected_s8_four(const int16_t *weights, const int8_t *input, int inputs, int is_plain,
                                          int32_t *sums)
{
    static const int8_t order[4] = {0, 2, 1, 3};
    int32_t even[2] = {0, 0}, odd[2] = {0, 0};
    int k = 0, i, pair;
#ifdef EC_PAIRS_DSP_H_
    if (is_plain && inputs >= 4) {
        ec_pairs_dsp_four_outputs(weights, input, inputs / 4, even, odd);
        k = inputs / 4 * 4;
        weights += k * 2;
    }
#else
    (void)is_plain;
#endif
    for (; k < inputs; k += 4) {
        for (pair = 0; pair < 2; ++pair, weights += 4) {
            for (i = 0; i < 4; ++i) {
                const int32_t x = k + order[i] < inputs ? input[k + order[i]] : 0;
                const int32_t a = (int8_t)(weights[i] & 0xff), b = (weights[i] - a) / 256;
                even[pair] += a * x;
                odd[pair] += b * x;
            }
        }
    }
    for (pair = 0; pair < 2; ++pair) {
        sums[2 * pair] = even[pair];
        sums[2 * pair + 1] = odd[pair];
    }
}

EC_SPECIALIZED int8_t ec_fully_connected_s8_output(const ec_fully_connected_s8_layer *layer, int o, int32_t sum)
{
    const int32_t whole = ec_add(sum, layer->bias[o]), multiplier = layer->multiplier[layer->is_uniform ? 0 : o];
    const int shift = layer->shift[layer->is_uniform ? 0 : o];
    const int32_t scaled = layer->is_plain ? ec_scale_small(whole, multiplier, shift, layer->rounding)
                                           : ec_scale(whole, multiplier, shift, layer->rounding);
    return ec_narrow(ec_add(scaled, layer->output_zero_point), layer->lowest, layer->highest);
}

EC_SPECIALIZED void ec_fully_connected_s8(const ec_fully_connected_s8_layer *layer, const int8_t *input, int8_t *output)
{
    const int groups = (layer->inputs + 3) / 4;
    int n, o, i;
    for (n = 0; n < layer->batches; ++n, input += layer->inputs, output += layer->outputs) {
        for (o = 0; o < layer->outputs; o += 4) {
            int32_t sums[4];
            ec_fully_connected_s8_four(layer->weights + o * groups * 2, input, layer->inputs,
                                       layer->is_plain, sums);
            for (i = 0; i < 4 && o + i < layer->outputs; ++i) {
                output[o + i] = ec_fully_connected_s8_output(layer, o + i, sums[i]);
            }
        }
    }
}

#endif /* EC_FULLY_CONNECTED_S8_H_ */
