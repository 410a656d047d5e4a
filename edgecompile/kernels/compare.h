/* EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS and LESS_EQUAL, elements of one type to bool, broadcast or not.
 *
 * layer    literal settings (broadcast.h), and the elements' type (elements.h); `is_scaled`: int8 with scales
 * first, second   elements
 * output   bool; may begin at or below an input that is not broadcast
 *
 * Nothing is allocated.
 */
#ifndef EC_COMPARE_H_
#define EC_COMPARE_H_

#include "broadcast.h"
#include "elements.h"

#define EC_COMPARE_EQUAL 0
#define EC_COMPARE_NOT_EQUAL 1
#define EC_COMPARE_GREATER 2
#define EC_COMPARE_GREATER_EQUAL 3
#define EC_COMPARE_LESS 4
#define EC_COMPARE_LESS_EQUAL 5

typedef struct {
    EC_BROADCAST_FIELDS;
    int type, operation, is_scaled;
    int first_zero_point, second_zero_point;
    int32_t first_multiplier, second_multiplier;
    int first_shift, second_shift;
    int rounding;
} ec_compare_layer;

/* `is_less` and `is_greater` are both 0 for equal values, and for what has no order. */
EC_SPECIALIZED uint8_t ec_compare_told(int operation, int is_less, int is_equal, int is_greater)
{
    switch (operation) {
    case EC_COMPARE_EQUAL: return (uint8_t)is_equal;
    case EC_COMPARE_NOT_EQUAL: return (uint8_t)!is_equal;
    case EC_COMPARE_GREATER: return (uint8_t)is_greater;
    case EC_COMPARE_GREATER_EQUAL: return (uint8_t)(is_greater || is_equal);
    case EC_COMPARE_LESS: return (uint8_t)is_less;
    default: return (uint8_t)(is_less || is_equal);
    }
}

EC_SPECIALIZED uint8_t ec_compare_element(const ec_compare_layer *layer, const void *first, int x, const void *second,
                                          int y)
{
    int64_t one, two;
    if (layer->type == EC_F32) {
        const float a = ((const float *)first)[x], b = ((const float *)second)[y];
        return ec_compare_told(layer->operation, a < b, !(a < b || a > b) && a == a && b == b, a > b);
    }
    one = ec_whole(first, layer->type, x);
    two = ec_whole(second, layer->type, y);
    if (layer->is_scaled) {
        one = ec_scale(((int32_t)one - layer->first_zero_point) * 256, layer->first_multiplier, layer->first_shift,
                       layer->rounding);
        two = ec_scale(((int32_t)two - layer->second_zero_point) * 256, layer->second_multiplier,
                       layer->second_shift, layer->rounding);
    }
    return ec_compare_told(layer->operation, one < two, one == two, one > two);
}

EC_SPECIALIZED void ec_compare(const ec_compare_layer *layer, const void *first, const void *second, uint8_t *output)
{
    EC_BROADCAST(layer, , output[o] = ec_compare_element(layer, first, x, second, y));
}

#endif /* EC_COMPARE_H_ */
