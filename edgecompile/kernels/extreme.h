/* MAXIMUM and MINIMUM, elements of one type, of one shape or broadcast; whole numbers are compared as they are.
 *
 * layer    literal settings (broadcast.h), and the elements' type (elements.h)
 * first, second, output   elements; the output may begin at or below an input that is not broadcast
 *
 * Nothing is allocated.
 */
#ifndef EC_EXTREME_H_
#define EC_EXTREME_H_

#include "broadcast.h"
#include "elements.h"

typedef struct {
    EC_BROADCAST_FIELDS;
    int type, is_maximum;
} ec_extreme_layer;

EC_SPECIALIZED void ec_extreme_element(const ec_extreme_layer *layer, const void *first, int x, const void *second,
                                       int y, void *output, int o)
{
    if (layer->type == EC_F32) {
        const float one = ((const float *)first)[x], two = ((const float *)second)[y];
        ((float *)output)[o] = (one > two) == (layer->is_maximum != 0) ? one : two;
    } else {
        const int64_t one = ec_whole(first, layer->type, x), two = ec_whole(second, layer->type, y);
        ec_put_whole(output, layer->type, o, (one > two) == (layer->is_maximum != 0) ? one : two);
    }
}

EC_SPECIALIZED void ec_extreme(const ec_extreme_layer *layer, const void *first, const void *second, void *output)
{
    EC_BROADCAST(layer, , ec_extreme_element(layer, first, x, second, y, output, o));
}

#endif /* EC_EXTREME_H_ */
