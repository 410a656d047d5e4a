/* REDUCE_MAX of elements, MEAN and SUM of int16 and float32: [kept_outer][gone_outer][kept_inner][gone_inner] elements
 * to [kept_outer][kept_inner].
 *
 * layer    literal sizes, type (elements.h) and operation; a whole mean's divisor is in the multiplier
 * input, output   elements; must not overlap
 *
 * Nothing is allocated.
 */
#ifndef EC_REDUCE_H_
#define EC_REDUCE_H_

#include "elements.h"

#define EC_REDUCE_MAX 0
#define EC_REDUCE_SUM 1
#define EC_REDUCE_MEAN 2

typedef struct {
    int kept_outer, gone_outer, kept_inner, gone_inner;
    int type, operation;
    int32_t multiplier;
    int shift, rounding;
} ec_reduce_layer;

/* What the elements from `from` on give, into output element `o`. */
EC_SPECIALIZED void ec_reduce_element(const ec_reduce_layer *layer, const void *input, int from, void *output, int o)
{
    const int row = layer->kept_inner * layer->gone_inner;
    int64_t whole = layer->operation == EC_REDUCE_MAX && layer->type != EC_F32 ? ec_whole(input, layer->type, from) : 0;
    float real = layer->operation == EC_REDUCE_MAX && layer->type == EC_F32 ? ((const float *)input)[from] : 0.0f;
    int b, d;
    for (b = 0; b < layer->gone_outer; ++b) {
        for (d = 0; d < layer->gone_inner; ++d) {
            const int place = from + b * row + d;
            if (layer->type == EC_F32) {
                const float value = ((const float *)input)[place];
                real = layer->operation != EC_REDUCE_MAX ? real + value : value > real ? value : real;
            } else {
                const int64_t value = ec_whole(input, layer->type, place);
                whole = layer->operation != EC_REDUCE_MAX ? whole + value : value > whole ? value : whole;
            }
        }
    }
    if (layer->type == EC_F32) {
        if (layer->operation == EC_REDUCE_MEAN) real /= (float)(layer->gone_outer * layer->gone_inner);
        ((float *)output)[o] = real;
    } else {
        if (layer->operation != EC_REDUCE_MAX) {
            whole = ec_clamp(ec_scale((int32_t)whole, layer->multiplier, layer->shift, layer->rounding), -32768, 32767);
        }
        ec_put_whole(output, layer->type, o, whole);
    }
}

EC_SPECIALIZED void ec_reduce(const ec_reduce_layer *layer, const void *input, void *output)
{
    const int image = layer->gone_outer * layer->kept_inner * layer->gone_inner;
    int a, c;
    for (a = 0; a < layer->kept_outer; ++a) {
        for (c = 0; c < layer->kept_inner; ++c) {
            ec_reduce_element(layer, input, a * image + c * layer->gone_inner, output, a * layer->kept_inner + c);
        }
    }
}

#endif /* EC_REDUCE_H_ */
