/* SVDF, int8[batches, inputs] to int8[batches, units], over a state that remembers `memory` steps of each filter.
 *
 * layer    literal settings; the weights of the filters int8[units * rank][inputs], those of time and the state are of
 *          one type (elements.h), int8 or int16, [units * rank][memory]
 * input    int8
 * state    [batches][units * rank][memory], the newest step last; kept from run to run
 * output   int8; must not overlap
 *
 * Nothing is allocated.
 */
#ifndef EC_SVDF_H_
#define EC_SVDF_H_

#include <string.h>

#include "elements.h"

typedef struct {
    const int8_t *weights;
    const void *time_weights;
    const int32_t *bias;
    int batches, inputs, units, rank, memory, state_type, state_bytes;
    int input_zero_point, state_zero_point, output_zero_point;
    int32_t state_multiplier, output_multiplier;
    int state_shift, output_shift;
    int rounding;
} ec_svdf_layer;

/* The newest step of one filter: cut first, then moved by the zero point, which may wrap as it does in the reference. */
EC_SPECIALIZED int32_t ec_svdf_step(const ec_svdf_layer *layer, const int8_t *input, int filter)
{
    const int8_t *const weights = layer->weights + filter * layer->inputs;
    const int32_t half = layer->state_type == EC_S8 ? 128 : 32768;
    int32_t sum = 0;
    int i;
    for (i = 0; i < layer->inputs; ++i) sum += weights[i] * (input[i] - layer->input_zero_point);
    sum = ec_scale(sum, layer->state_multiplier, layer->state_shift, layer->rounding);
    return ec_clamp(sum, -half, half - 1) + layer->state_zero_point;
}

EC_SPECIALIZED void ec_svdf(const ec_svdf_layer *layer, const int8_t *input, void *state, int8_t *output)
{
    const int filters = layer->units * layer->rank;
    const int width = layer->state_type == EC_S8 ? 1 : 2;
    int n, u, r, t;
    memmove(state, (const char *)state + width, (size_t)(layer->state_bytes - width));
    for (n = 0; n < layer->batches; ++n, input += layer->inputs) {
        for (u = 0; u < layer->units; ++u) {
            int32_t sum = layer->bias[u];
            for (r = 0; r < layer->rank; ++r) {
                const int filter = u * layer->rank + r, first = (n * filters + filter) * layer->memory;
                ec_put_whole(state, layer->state_type, first + layer->memory - 1, ec_svdf_step(layer, input, filter));
                for (t = 0; t < layer->memory; ++t) {
                    const int32_t past = (int32_t)ec_whole(state, layer->state_type, first + t);
                    const int32_t by =
                        (int32_t)ec_whole(layer->time_weights, layer->state_type, filter * layer->memory + t);
                    sum = ec_add(sum, by * (past - layer->state_zero_point));
                }
            }
            sum = ec_scale(sum, layer->output_multiplier, layer->output_shift, layer->rounding);
            *output++ = ec_narrow(ec_add(sum, layer->output_zero_point), -128, 127);
        }
    }
}

#endif /* EC_SVDF_H_ */
