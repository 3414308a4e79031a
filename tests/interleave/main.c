/*
 * main.c - explores the cases whose names contain one of the arguments (=NAME: are that), or all.
 */
#include "engine.h"
#include <stdio.h>
#include <string.h>

extern const il_case il_sync_cases[];

int main(int argc, char **argv)
{
    int failed = 0, ran = 0;
    for (const il_case *c = il_sync_cases; c->name != NULL; c++) {
        int take = argc == 1;
        for (int i = 1; i < argc; i++)
            take |= argv[i][0] == '=' ? strcmp(c->name, argv[i] + 1) == 0
                                      : strstr(c->name, argv[i]) != NULL;
        if (take) {
            ran++;
            failed += !il_explore(c);
        }
    }
    if (ran == 0)
        printf("no such case\n");
    return failed != 0 || ran == 0;
}
