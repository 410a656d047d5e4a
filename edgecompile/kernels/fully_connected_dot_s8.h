/* FULLY_CONNECTED with weights as rows, int8[batches, inputs] to int8[batches, outputs].
 *
 * layer    literal settings, so that the compiler makes the kernel for this layer
 * input    int8[batches][inputs]
 * output   int8[batches][outputs]; must not overlap the input
 *
 * Weights are int8[outputs][inputs] as in the file. The bias has the input's zero point folded in. Multiplier and shift
 * are there for each output, or once where all are equal. Nothing is allocated.
 */
#ifndef EC_FULLY_CONNECTED_DOT_S8_H_
#define EC_FULLY_CONNECTED_DOT_S8_H_

#include "rounding.h"

typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift; /* to the left */
    int is_uniform;      /* one multiplier and one shift */
    int batches, inputs, outputs;
    int input_zero_point, output_zero_point, lowest, highest;
    int is_plain, rounding;
} ec_fully_connected_dot_s8_layer;

#if defined(__ARM_FEATURE_MVE) && defined(__thumb__) && defined(__GNUC__)
#include "fully_connected_dot_mve.h"
#endif

EC_SPECIALIZED void ec_fully_connected_dot_s8_portable(const ec_fully_connected_dot_s8_layer *layer,
                                                       const int8_t *input, int8_t *output)
{
    int o, k;
    for (o = 0; o < layer->outputs; ++o) {
        const int8_t *const row = layer->weights + o * layer->inputs;
        const int scale = layer->is_uniform ? 0 : o;
        int32_t sum = layer->bias[o];
        for (k = 0; k < layer->inputs; ++k) sum = ec_add(sum, row[k] * input[k]);
        sum = ec_scale(sum, layer->multiplier[scale], layer->shift[scale], layer->rounding);
        output[o] = ec_narrow(ec_add(sum, layer->output_zero_point), layer->lowest, layer->highest);
    }
}

EC_SPECIALIZED void ec_fully_connected_dot_s8(const ec_fully_connected_dot_s8_layer *layer, const int8_t *input,
                                              int8_t *output)
{
    int n;
    for (n = 0; n < layer->batches; ++n, input += layer->inputs, output += layer->outputs) {
#ifdef EC_FULLY_CONNECTED_DOT_MVE_H_
        if (layer->is_plain) {
            ec_fully_connected_dot_mve(layer, input, output);
            continue;
        }
#endif
        ec_fully_connected_dot_s8_portable(layer, input, output);
    }
}

#endif /* EC_FULLY_CONNECTED_DOT_S8_H_ */
