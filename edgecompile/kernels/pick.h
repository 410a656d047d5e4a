/* Move elements along four axes, each by a table of offsets of its own: what is repeated, mirrored, gathered or dealt.
 *
 * layer    literal sizes, and for each axis the offset in bytes of each of its steps; `run` bytes lie together. The
 *          other side is dense: it is the output, or with `is_scatter` the input
 * input, output   any element type; must not overlap
 *
 * Nothing is allocated; what a scatter does not reach is left as it is.
 */
#ifndef EC_PICK_H_
#define EC_PICK_H_

#include <string.h>

#include "rounding.h"

typedef struct {
    const int32_t *offsets_0, *offsets_1, *offsets_2, *offsets_3;
    int size_0, size_1, size_2, size_3;
    int run, is_scatter;
} ec_pick_layer;

EC_SPECIALIZED void ec_pick(const ec_pick_layer *layer, const void *input, void *output)
{
    const char *from = (const char *)input;
    char *to = (char *)output;
    int a, b, c, d;
    for (a = 0; a < layer->size_0; ++a) {
        for (b = 0; b < layer->size_1; ++b) {
            for (c = 0; c < layer->size_2; ++c) {
                const int32_t place = layer->offsets_0[a] + layer->offsets_1[b] + layer->offsets_2[c];
                for (d = 0; d < layer->size_3; ++d) {
                    const int32_t offset = place + layer->offsets_3[d];
                    if (layer->is_scatter) {
                        memcpy(to + offset, from, (size_t)layer->run);
                        from += layer->run;
                    } else {
                        memcpy(to, from + offset, (size_t)layer->run);
                        to += layer->run;
                    }
                }
            }
        }
    }
}

#endif /* EC_PICK_H_ */
