/* Any function of one 8-bit value: output[i] = table[input[i]], over the bits of int8 or uint8.
 *
 * layer    literal number of elements, and the table of 256 bytes
 * input    8-bit elements
 * output   8-bit elements; may begin at the input or below it
 *
 * Nothing is allocated.
 */
#ifndef EC_TABLE_S8_H_
#define EC_TABLE_S8_H_

#include "rounding.h"

typedef struct {
    const uint8_t *table;
    int count;
} ec_table_s8_layer;

EC_SPECIALIZED void ec_table_s8(const ec_table_s8_layer *layer, const void *input, void *output)
{
    const uint8_t *const from = (const uint8_t *)input;
    uint8_t *const to = (uint8_t *)output;
    int i;
    for (i = 0; i < layer->count; ++i) to[i] = layer->table[from[i]];
}

#endif /* EC_TABLE_S8_H_ */
