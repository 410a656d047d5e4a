/* The application: read the inputs, run the model, use the outputs. Written by edgecompile; a place to start from.
 *
 * Define the two functions in a file of your own and name it in the Makefile's APP_SOURCES.
 */
#include "model.h"

void application_read(void *arena);
void application_use(void *arena);

static MODEL_ARENA(arena);

/* Fill the inputs: MODEL_INPUT(arena, 0) and so on. */
__attribute__((weak)) void application_read(void *place) { (void)place; }

/* Do something with MODEL_OUTPUT(arena, 0) and so on. */
__attribute__((weak)) void application_use(void *place) { (void)place; }

int main(void)
{
    MODEL_INIT(arena.bytes);
    for (;;) {
        application_read(arena.bytes);
        MODEL_INVOKE(arena.bytes);
        application_use(arena.bytes);
    }
}
