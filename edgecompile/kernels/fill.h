/* Fill a tensor with one value.
 *
 * layer    literal number of elements, their size in bytes, and the bytes of one
 * output   any element type
 *
 * Nothing is allocated.
 */
#ifndef EC_FILL_H_
#define EC_FILL_H_

#include <string.h>

#include "rounding.h"

typedef struct {
    int count, size;
    const uint8_t *value;
} ec_fill_layer;

EC_SPECIALIZED void ec_fill(const ec_fill_layer *layer, void *output)
{
    char *to = (char *)output;
    int i;
    if (layer->size == 1) {
        memset(to, *layer->value, (size_t)layer->count);
        return;
    }
    for (i = 0; i < layer->count; ++i, to += layer->size) memcpy(to, layer->value, (size_t)layer->size);
}

#endif /* EC_FILL_H_ */
