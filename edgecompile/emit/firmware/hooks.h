/* What the model calls after each operator in images that trace or profile. Written by edgecompile. */
#ifndef EC_HOOKS_H_
#define EC_HOOKS_H_

#include <stdint.h>

void ec_mark(void);
void ec_trace(const void *place, uint32_t bytes);

#if defined(EC_TRACE)
#define EDGECOMPILE_AFTER_OPERATOR(operator_index, tensor, place, bytes) ec_trace(place, bytes)
#elif defined(EC_PROFILE)
#define EDGECOMPILE_AFTER_OPERATOR(operator_index, tensor, place, bytes) ec_mark()
#endif

#endif /* EC_HOOKS_H_ */
