#pragma once

#include <stdio.h>

/*
 * reference - pages that the programs print of themselves, so that what is written cannot differ
 * from what is done. They are checked in; deploy/reference/make compares them.
 */

/* Every setting with its default, as a file of settings in which each line is a comment. */
void reference_sample(FILE *out);

/* Every setting in the language of manual pages, mdoc(7): the list in activestack.conf(5). */
void reference_manual(FILE *out);
