/* QUANTIZE, DEQUANTIZE and CAST: elements of one type to elements of another.
 *
 * layer    literal types (elements.h) and settings; `how` is one of EC_CONVERT_*
 * input    elements
 * output   elements; may begin at the input or below it where they are not wider
 *
 * Real numbers beyond the range become the nearest value in it. Nothing is allocated.
 */
#ifndef EC_CONVERT_H_
#define EC_CONVERT_H_

#include <math.h>

#include "elements.h"

#define EC_CONVERT_RESCALE 0
#define EC_CONVERT_QUANTIZE 1
#define EC_CONVERT_DEQUANTIZE 2
#define EC_CONVERT_CAST 3

typedef struct {
    int count, how, from, to;
    int input_zero_point, output_zero_point;
    int32_t multiplier;
    int shift;
    float scale;
    int32_t lowest, highest;
    int rounding;
} ec_convert_layer;

/* A whole real number inside [lowest, highest], or at its nearer end. */
EC_SPECIALIZED int32_t ec_convert_whole(float x, int32_t lowest, int32_t highest)
{
    if (!(x > (float)lowest)) return lowest;
    return x < (float)highest ? (int32_t)x : highest;
}

EC_SPECIALIZED void ec_convert_element(const ec_convert_layer *layer, const void *input, void *output, int i)
{
    const int is_real = layer->from == EC_F32;
    const float x = is_real ? ((const float *)input)[i] : 0.0f;
    const int64_t value = is_real ? 0 : ec_whole(input, layer->from, i);
    int32_t scaled;
    switch (layer->how) {
    case EC_CONVERT_RESCALE:
        scaled = ec_scale((int32_t)value - layer->input_zero_point, layer->multiplier, layer->shift, layer->rounding);
        scaled = ec_clamp(ec_add(scaled, layer->output_zero_point), layer->lowest, layer->highest);
        ec_put_whole(output, layer->to, i, scaled);
        break;
    case EC_CONVERT_QUANTIZE:
        scaled = ec_convert_whole(roundf(x / layer->scale), -(1 << 24), 1 << 24) + layer->output_zero_point;
        ec_put_whole(output, layer->to, i, ec_clamp(scaled, layer->lowest, layer->highest));
        break;
    case EC_CONVERT_DEQUANTIZE:
        ((float *)output)[i] = layer->scale * (float)(int32_t)(value - layer->input_zero_point);
        break;
    default:
        if (layer->to == EC_F32) {
            ((float *)output)[i] = is_real ? x : (float)value;
        } else if (layer->to == EC_BOOL) {
            ec_put_whole(output, EC_BOOL, i, is_real ? x < 0.0f || x > 0.0f : value != 0);
        } else {
            ec_put_whole(output, layer->to, i, is_real ? ec_convert_whole(x, layer->lowest, layer->highest) : value);
        }
        break;
    }
}

EC_SPECIALIZED void ec_convert(const ec_convert_layer *layer, const void *input, void *output)
{
    int i;
    for (i = 0; i < layer->count; ++i) ec_convert_element(layer, input, output, i);
}

#endif /* EC_CONVERT_H_ */
