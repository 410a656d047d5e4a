/* ADD, SUB, MUL, DIV and SQUARED_DIFFERENCE of plain numbers, float32 or int32, of one shape or broadcast.
 *
 * layer    literal settings (broadcast.h), and the elements' type (elements.h)
 * first, second, output   elements; the output may begin at or below an input that is not broadcast
 *
 * Whole numbers wrap. Nothing is allocated.
 */
#ifndef EC_ARITHMETIC_H_
#define EC_ARITHMETIC_H_

#include "broadcast.h"
#include "elements.h"

#define EC_ARITHMETIC_ADD 0
#define EC_ARITHMETIC_SUB 1
#define EC_ARITHMETIC_MUL 2
#define EC_ARITHMETIC_DIV 3
#define EC_ARITHMETIC_SQUARED_DIFFERENCE 4

typedef struct {
    EC_BROADCAST_FIELDS;
    int type, operation;
    float lowest, highest;
} ec_arithmetic_layer;

EC_SPECIALIZED float ec_arithmetic_real(const ec_arithmetic_layer *layer, float x, float y)
{
    float value = x - y;
    switch (layer->operation) {
    case EC_ARITHMETIC_ADD: value = x + y; break;
    case EC_ARITHMETIC_MUL: value = x * y; break;
    case EC_ARITHMETIC_DIV: value = x / y; break;
    case EC_ARITHMETIC_SQUARED_DIFFERENCE: value = value * value; break;
    default: break;
    }
    return ec_clamp_real(value, layer->lowest, layer->highest);
}

EC_SPECIALIZED int32_t ec_arithmetic_whole(const ec_arithmetic_layer *layer, int32_t first, int32_t second)
{
    const uint32_t x = (uint32_t)first, y = (uint32_t)second, difference = x - y;
    switch (layer->operation) {
    case EC_ARITHMETIC_ADD: return (int32_t)(x + y);
    case EC_ARITHMETIC_MUL: return (int32_t)(x * y);
    case EC_ARITHMETIC_SQUARED_DIFFERENCE: return (int32_t)(difference * difference);
    default: return (int32_t)difference;
    }
}

EC_SPECIALIZED void ec_arithmetic(const ec_arithmetic_layer *layer, const void *first, const void *second,
                                  void *output)
{
    if (layer->type == EC_F32) {
        const float *const one = (const float *)first, *const two = (const float *)second;
        EC_BROADCAST(layer, , ((float *)output)[o] = ec_arithmetic_real(layer, one[x], two[y]));
    } else {
        const int32_t *const one = (const int32_t *)first, *const two = (const int32_t *)second;
        EC_BROADCAST(layer, , ((int32_t *)output)[o] = ec_arithmetic_whole(layer, one[x], two[y]));
    }
}

#endif /* EC_ARITHMETIC_H_ */
