/* SQUARED_DIFFERENCE, int8 with int8 to int8 or int16 with int16 to int16, of one shape or broadcast.
 *
 * layer    literal settings (broadcast.h), and the elements' type (elements.h); `lift` is 128 for int8, 1 for int16
 * first, second, output   elements; the output may begin at or below an input that is not broadcast
 *
 * Nothing is allocated.
 */
#ifndef EC_SQUARED_DIFFERENCE_H_
#define EC_SQUARED_DIFFERENCE_H_

#include "broadcast.h"
#include "elements.h"

typedef struct {
    EC_BROADCAST_FIELDS;
    int type, lift;
    int first_zero_point, second_zero_point, output_zero_point;
    int32_t first_multiplier, second_multiplier, output_multiplier;
    int first_shift, second_shift, output_shift;
    int lowest, highest;
    int rounding;
} ec_squared_difference_layer;

EC_SPECIALIZED int32_t ec_squared_difference_element(const ec_squared_difference_layer *layer, int32_t first,
                                                     int32_t second)
{
    const int32_t one = ec_scale((first - layer->first_zero_point) * layer->lift, layer->first_multiplier,
                                 layer->first_shift, layer->rounding);
    const int32_t two = ec_scale((second - layer->second_zero_point) * layer->lift, layer->second_multiplier,
                                 layer->second_shift, layer->rounding);
    const uint32_t difference = (uint32_t)one - (uint32_t)two;
    const int32_t scaled = ec_scale((int32_t)(difference * difference), layer->output_multiplier,
                                    layer->output_shift, layer->rounding);
    return ec_clamp(ec_add(scaled, layer->output_zero_point), layer->lowest, layer->highest);
}

EC_SPECIALIZED void ec_squared_difference(const ec_squared_difference_layer *layer, const void *first,
                                          const void *second, void *output)
{
    EC_BROADCAST(layer, , ec_put_whole(output, layer->type, o,
                                       ec_squared_difference_element(layer, (int32_t)ec_whole(first, layer->type, x),
                                                                     (int32_t)ec_whole(second, layer->type, y))));
}

#endif /* EC_SQUARED_DIFFERENCE_H_ */
