/* MUL, int8 with int8 to int8, of one shape or broadcast.
 *
 * layer    literal settings; inputs advance by their strides along four axes, the output is dense
 * first, second   int8
 * output   int8; may begin at or below an input that is not broadcast
 *
 * Nothing is allocated.
 */
#ifndef EC_MULTIPLY_S8_H_
#define EC_MULTIPLY_S8_H_

#include "broadcast.h"

typedef struct {
    EC_BROADCAST_FIELDS;
    int first_zero_point, second_zero_point, output_zero_point;
    int32_t multiplier;
    int shift;
    int lowest, highest;
    int rounding;
} ec_multiply_s8_layer;

EC_SPECIALIZED int8_t ec_multiply_s8_element(const ec_multiply_s8_layer *layer, int8_t first, int8_t second)
{
    const int32_t both = (first - layer->first_zero_point) * (second - layer->second_zero_point);
    const int32_t scaled = ec_scale(both, layer->multiplier, layer->shift, layer->rounding);
    return ec_narrow(ec_add(scaled, layer->output_zero_point), layer->lowest, layer->highest);
}

EC_SPECIALIZED void ec_multiply_s8(const ec_multiply_s8_layer *layer, const int8_t *first, const int8_t *second, int8_t *output)
{
    EC_BROADCAST(layer, , output[o] = ec_multiply_s8_element(layer, first[x], second[y]));
}

#endif /* EC_MULTIPLY_S8_H_ */
