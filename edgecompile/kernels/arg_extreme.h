/* ARG_MAX and ARG_MIN: where along an axis the largest or smallest element stands, the first of several.
 *
 * layer    literal sizes: input[outer][axis][inner], output[outer][inner]; types (elements.h)
 * input    int8, int16, int32 or float32
 * output   int32 or int64; must not overlap the input
 *
 * Nothing is allocated.
 */
#ifndef EC_ARG_EXTREME_H_
#define EC_ARG_EXTREME_H_

#include "elements.h"

typedef struct {
    int outer, axis, inner, type, output_type, is_maximum;
} ec_arg_extreme_layer;

/* Whether element `i` of the input comes before element `best`. */
EC_SPECIALIZED int ec_arg_extreme_is_better(const ec_arg_extreme_layer *layer, const void *input, int i, int best)
{
    if (layer->type == EC_F32) {
        const float one = ((const float *)input)[i], two = ((const float *)input)[best];
        return layer->is_maximum ? one > two : one < two;
    } else {
        const int64_t one = ec_whole(input, layer->type, i), two = ec_whole(input, layer->type, best);
        return layer->is_maximum ? one > two : one < two;
    }
}

EC_SPECIALIZED void ec_arg_extreme(const ec_arg_extreme_layer *layer, const void *input, void *output)
{
    int a, b, c;
    for (a = 0; a < layer->outer; ++a) {
        for (c = 0; c < layer->inner; ++c) {
            const int first = a * layer->axis * layer->inner + c;
            int best = 0;
            for (b = 1; b < layer->axis; ++b) {
                if (ec_arg_extreme_is_better(layer, input, first + b * layer->inner, first + best * layer->inner)) best = b;
            }
            ec_put_whole(output, layer->output_type, a * layer->inner + c, best);
        }
    }
}

#endif /* EC_ARG_EXTREME_H_ */
