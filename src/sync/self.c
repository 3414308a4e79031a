/*
 * self.c - the report of a copied object; see self.h.
 */
#include "self.h"

void rn__self_copied(const char *what, const void *obj, uintptr_t self, const char *site)
{
    rn__fatal("sync: %s is copied\n\tused at %s at address %p, first used at address 0x%zx: "
              "pass a pointer to it instead",
              what, site != NULL ? site : "a place unknown", obj, (size_t)self);
}
