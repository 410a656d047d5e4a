/* ADD and SUB, int8 with int8 to int8, of one shape or broadcast.
 *
 * layer    literal settings; inputs advance by their strides along four axes, the output is dense
 * first, second   int8
 * output   int8; may begin at or below an input that is not broadcast
 *
 * Each input is lifted by 20 bits and scaled to twice the larger scale, the sum is scaled to the output's.
 * Nothing is allocated.
 */
#ifndef EC_ADD_S8_H_
#define EC_ADD_S8_H_

#include "broadcast.h"

typedef struct {
    EC_BROADCAST_FIELDS;
    int first_zero_point, second_zero_point, output_zero_point;
    int32_t first_multiplier, second_multiplier, output_multiplier;
    int first_shift, second_shift, output_shift; /* none to the left */
    int is_difference;
    int lowest, highest;
    int rounding;
} ec_add_s8_layer;

EC_SPECIALIZED int8_t ec_add_s8_element(const ec_add_s8_layer *layer, int8_t first, int8_t second)
{
    const int32_t one = ec_scale_small((first - layer->first_zero_point) * (1 << 20), layer->first_multiplier,
                                 layer->first_shift, layer->rounding);
    const int32_t two = ec_scale_small((second - layer->second_zero_point) * (1 << 20), layer->second_multiplier,
                                 layer->second_shift, layer->rounding);
    const int32_t sum = ec_scale_small(layer->is_difference ? one - two : one + two, layer->output_multiplier,
                                 layer->output_shift, layer->rounding);
    return ec_narrow(ec_add(sum, layer->output_zero_point), layer->lowest, layer->highest);
}

#if defined(__ARM_FEATURE_MVE) && defined(__thumb__) && defined(__GNUC__)
#include "add_mve.h"
#endif

EC_SPECIALIZED void ec_add_s8(const ec_add_s8_layer *layer, const int8_t *first, const int8_t *second, int8_t *output)
{
#ifdef EC_ADD_MVE_H_
    if (layer->size_0 * layer->size_1 * layer->size_2 == 1 && layer->first_stride_3 == 1 &&
        layer->second_stride_3 == 1 && layer->rounding == EC_ROUND_TWICE) {
        ec_add_mve(layer, first, second, output, layer->size_3);
        return;
    }
#endif
    EC_BROADCAST(layer, EC_UNROLLED, output[o] = ec_add_s8_element(layer, first[x], second[y]));
}

#endif /* EC_ADD_S8_H_ */
