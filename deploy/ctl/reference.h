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

/* The rest in Markdown. Every setting, in tables by group. */
void reference_settings(FILE *out);

/* Every operation: who sends it, who serves it, what it is. */
void reference_operations(FILE *out);

/* The codes of errors and of closed WebSockets. */
void reference_codes(FILE *out);

/* Prints the head of a table; `columns` are separated by "|". */
void reference_table(FILE *out, const char *columns);

/* Prints a cell, "|" escaped; NULL or "": an empty one. The row ends with reference_row_end(). */
void reference_cell(FILE *out, const char *text);
void reference_code_cell(FILE *out, const char *text);
void reference_row_end(FILE *out);
