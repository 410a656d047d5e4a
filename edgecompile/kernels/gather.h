/* GATHER by indices that are computed: elements of any type, int32 indices.
 *
 * layer    literal sizes: input[outer][axis][run bytes], output[outer][count][run bytes]
 * input    any element type
 * indices  int32[count]; beyond the axis the nearest step of it is taken, so that nothing else is ever read
 * output   must not overlap the inputs
 *
 * Nothing is allocated.
 */
#ifndef EC_GATHER_H_
#define EC_GATHER_H_

#include <string.h>

#include "rounding.h"

typedef struct {
    int outer, axis, count, run;
} ec_gather_layer;

EC_SPECIALIZED void ec_gather(const ec_gather_layer *layer, const void *input, const int32_t *indices, void *output)
{
    const char *from = (const char *)input;
    char *to = (char *)output;
    int a, i;
    for (a = 0; a < layer->outer; ++a, from += layer->axis * layer->run) {
        for (i = 0; i < layer->count; ++i, to += layer->run) {
            memcpy(to, from + ec_clamp(indices[i], 0, layer->axis - 1) * layer->run, (size_t)layer->run);
        }
    }
}

#endif /* EC_GATHER_H_ */
