/* Making the records that Python declares: a `Match` for each rule, a `Span` for each place. */
#include "engine.h"

static int set(const Record *record, PyObject *made, int field, PyObject *value)
{
    PyObject *descriptor = record->fields[field];
    descrsetfunc set_field = (descrsetfunc)PyType_GetSlot(Py_TYPE(descriptor), Py_tp_descr_set);
    return set_field(descriptor, made, value);
}

/* Nothing that a record is made of can refer back to it: the garbage collector need not look at thousands of them. */
static PyObject *new_record(const Record *record)
{
    PyObject *made = PyType_GenericAlloc((PyTypeObject *)record->type, 0);
    if (made) {
        PyObject_GC_UnTrack(made);
    }
    return made;
}

int record_of(PyObject *type, const char *const *names, Record *record)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "a record is a class");
        return -1;
    }
    for (int i = 0; names[i]; i++) {
        record->fields[i] = PyObject_GetAttrString(type, names[i]);
        if (!record->fields[i]) {
            return -1;
        }
        if (!PyType_GetSlot(Py_TYPE(record->fields[i]), Py_tp_descr_set)) {
            PyErr_SetString(PyExc_TypeError, "a record has slots");
            return -1;
        }
    }
    Py_INCREF(type);
    record->type = type;
    return 0;
}

static PyObject *new_span(Engine *self, const Given *given, const Leaf *leaf)
{
    int field = leaf->first < self->bases[1] ? 0 : leaf->first < self->bases[2] ? 1 : 2;
    const Token *tokens = self->fields[field]->tokens;
    uint32_t start = tokens[leaf->first - self->bases[field]].start;
    uint32_t end = tokens[leaf->last - self->bases[field]].end;
    PyObject *values[SPAN_FIELDS] = {
        given->names[field],
        PyLong_FromUnsignedLong(start),
        PyLong_FromUnsignedLong(end),
        PyUnicode_Substring(given->texts[field], start, end),
        self->memos[leaf->memo].part,
    };
    PyObject *made = values[1] && values[2] && values[3] ? new_record(&self->span) : NULL;
    for (int i = 0; made && i < SPAN_FIELDS; i++) {
        if (set(&self->span, made, i, values[i]) < 0) {
            Py_CLEAR(made);
        }
    }
    Py_XDECREF(values[1]);
    Py_XDECREF(values[2]);
    Py_XDECREF(values[3]);
    return made;
}

/* Return the span of a place, borrowed; the same one each time. */
static PyObject *span_of(Engine *self, const Given *given, const Leaf *leaf)
{
    Memo *memo = &self->memos[leaf->memo];
    if (!memo->spans) {
        memo->spans = arena_take(&self->arena, memo->n_found * sizeof *memo->spans);
        if (!memo->spans) {
            return NULL;
        }
        memset(memo->spans, 0, memo->n_found * sizeof *memo->spans);
        memo->next = self->with_spans;
        self->with_spans = leaf->memo;
    }
    uint32_t low = 0, high = memo->n_found;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const Occurrence *one = &memo->found[middle];
        if (one->first < leaf->first || (one->first == leaf->first && one->last < leaf->last)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (!memo->spans[low]) {
        memo->spans[low] = new_span(self, given, leaf);
    }
    return memo->spans[low];
}

void drop_spans(Engine *self)
{
    while (self->with_spans) {
        Memo *memo = &self->memos[self->with_spans];
        for (uint32_t i = 0; i < memo->n_found; i++) {
            Py_XDECREF(memo->spans[i]);
        }
        memo->spans = NULL;
        self->with_spans = memo->next;
        memo->next = 0;
    }
}

static int is_expired(PyObject *const *attributes, const Rule *rule, PyObject *now)
{
    if (!rule->may_expire) {
        return 0;
    }
    PyObject *at = PyObject_GetAttr(rule->rule, attributes[A_EXPIRES_AT]);
    int expired = at ? PyObject_RichCompareBool(at, now, Py_LE) : -1;
    Py_XDECREF(at);
    return expired;
}

static PyObject *new_match(Engine *self, const Given *given, const Rule *rule, PyObject *spans)
{
    PyObject *const *carried = rule->carried;
    PyObject *values[MATCH_FIELDS] = {
        carried[A_ID],       given->id,         rule->version, carried[A_NAME],
        carried[A_SEVERITY], carried[A_LABELS], Py_None,       spans,
    };
    PyObject *made = new_record(&self->match);
    for (int i = 0; made && i < MATCH_FIELDS; i++) {
        if (set(&self->match, made, i, values[i]) < 0) {
            Py_CLEAR(made);
        }
    }
    return made;
}

int matches_of(Engine *self, const Given *given, const Result *result, PyObject *found)
{
    PyObject *spans = NULL;
    int failed = spend(self, result->n_leaves + 1) < 0;
    for (uint32_t r = self->queries[result->query].rules; r && !failed; r = self->rules[r].next) {
        int expired = is_expired(self->attributes, &self->rules[r], given->now);
        if (expired) {
            failed = expired < 0;
            continue;
        }
        if (!spans) {
            spans = PyTuple_New(result->n_leaves);
            for (uint32_t i = 0; spans && i < result->n_leaves; i++) {
                PyObject *span = span_of(self, given, &result->leaves[i]);
                Py_XINCREF(span);
                PyTuple_SetItem(spans, i, span);
                if (!span) {
                    Py_CLEAR(spans);
                }
            }
            if (spans) {
                PyObject_GC_UnTrack(spans);
            }
        }
        PyObject *match = spans ? new_match(self, given, &self->rules[r], spans) : NULL;
        failed = !match || PyList_Append(found, match) < 0;
        Py_XDECREF(match);
    }
    Py_XDECREF(spans);
    return failed ? -1 : 0;
}

/* Return the rules that ask a query and their versions, to be decided by Python. */
PyObject *rules_of(Engine *self, uint32_t query)
{
    PyObject *list = PyList_New(0);
    for (uint32_t r = self->queries[query].rules; list && r; r = self->rules[r].next) {
        PyObject *both = PyTuple_Pack(2, self->rules[r].rule, self->rules[r].version);
        if (!both || PyList_Append(list, both) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(both);
    }
    return list;
}
