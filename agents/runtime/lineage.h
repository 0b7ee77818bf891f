#pragma once

#include "common/model/model.h"
#include "common/redis/redis_link.h"

/*
 * lineage - what scripts need to know of a class: whether its ids are numbers, how many states of
 * an object are its history (`history_kept` where the class asks for one), and the names of the
 * class and of its parents, itself first. An object is listed, and its changes are told, under all
 * of them. lua/object.lua reads it with arg_lineage().
 */
void lineage_add_args(struct redis_call *call, const struct model_class *c, int64_t history_kept);
