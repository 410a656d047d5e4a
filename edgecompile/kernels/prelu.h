/* PRELU, int8 or float32: an input where it is 0 or more, else the input times its slope; the slope is broadcast.
 *
 * layer    literal settings (broadcast.h), and the elements' type (elements.h)
 * input, slope, output   elements; the output may begin at the input or below it
 *
 * Nothing is allocated.
 */
#ifndef EC_PRELU_H_
#define EC_PRELU_H_

#include "broadcast.h"
#include "elements.h"

typedef struct {
    EC_BROADCAST_FIELDS;
    int type;
    int input_zero_point, slope_zero_point, output_zero_point;
    int32_t multiplier, slope_multiplier;
    int shift, slope_shift;
    int rounding;
} ec_prelu_layer;

EC_SPECIALIZED int8_t ec_prelu_element(const ec_prelu_layer *layer, int8_t input, int8_t slope)
{
    int32_t value = input - layer->input_zero_point;
    if (value >= 0) {
        value = ec_scale(value, layer->multiplier, layer->shift, layer->rounding);
    } else {
        value = ec_scale(value * (slope - layer->slope_zero_point), layer->slope_multiplier, layer->slope_shift,
                         layer->rounding);
    }
    return ec_narrow(ec_add(value, layer->output_zero_point), -128, 127);
}

EC_SPECIALIZED void ec_prelu(const ec_prelu_layer *layer, const void *input, const void *slope, void *output)
{
    if (layer->type == EC_F32) {
        const float *const from = (const float *)input, *const by = (const float *)slope;
        EC_BROADCAST(layer, , ((float *)output)[o] = from[x] >= 0.0f ? from[x] : from[x] * by[y]);
    } else {
        const int8_t *const from = (const int8_t *)input, *const by = (const int8_t *)slope;
        EC_BROADCAST(layer, , ((int8_t *)output)[o] = ec_prelu_element(layer, from[x], by[y]));
    }
}

#endif /* EC_PRELU_H_ */
