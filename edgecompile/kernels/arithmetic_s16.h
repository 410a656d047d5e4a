/* ADD, SUB and MUL, int16 with int16 to int16 (zero points 0), of one shape or broadcast.
 *
 * layer    literal settings (broadcast.h)
 * first, second   int16
 * output   int16; may begin at or below an input that is not broadcast
 *
 * For sums each input is lifted by 15 bits and scaled to twice the larger scale. Nothing is allocated.
 */
#ifndef EC_ARITHMETIC_S16_H_
#define EC_ARITHMETIC_S16_H_

#include "broadcast.h"

#define EC_ARITHMETIC_S16_ADD 0
#define EC_ARITHMETIC_S16_SUB 1
#define EC_ARITHMETIC_S16_MUL 2

typedef struct {
    EC_BROADCAST_FIELDS;
    int operation;
    int32_t first_multiplier, second_multiplier, output_multiplier;
    int first_shift, second_shift, output_shift;
    int lowest, highest;
    int rounding;
} ec_arithmetic_s16_layer;

EC_SPECIALIZED int16_t ec_arithmetic_s16_element(const ec_arithmetic_s16_layer *layer, int16_t first, int16_t second)
{
    int32_t both;
    if (layer->operation == EC_ARITHMETIC_S16_MUL) {
        both = first * second;
    } else {
        const int32_t one =
            ec_scale(first * (1 << 15), layer->first_multiplier, layer->first_shift, layer->rounding);
        const int32_t two =
            ec_scale(second * (1 << 15), layer->second_multiplier, layer->second_shift, layer->rounding);
        both = layer->operation == EC_ARITHMETIC_S16_SUB ? one - two : one + two;
    }
    both = ec_scale(both, layer->output_multiplier, layer->output_shift, layer->rounding);
    return (int16_t)ec_clamp(both, layer->lowest, layer->highest);
}

EC_SPECIALIZED void ec_arithmetic_s16(const ec_arithmetic_s16_layer *layer, const int16_t *first,
                                      const int16_t *second, int16_t *output)
{
    EC_BROADCAST(layer, , output[o] = ec_arithmetic_s16_element(layer, first[x], second[y]));
}

#endif /* EC_ARITHMETIC_S16_H_ */
