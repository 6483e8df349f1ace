/* What can be looked up in an article, and the queries that stand under each two of them.
 *
 * A feature is described as None, what every article has; or as a tuple that begins with its kind: (FEATURE_WORD, text),
 * (FEATURE_PAIR, text, text), (FEATURE_PATTERN, text), (FEATURE_OTHER, object), (FEATURE_GROUP, object, members).
 */
#include "engine.h"

enum { ALWAYS = 0 };

static uint64_t pair_key(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

static int new_feature(Engine *self, const Feature *made, uint32_t *number)
{
    uint32_t new = self->free_feature ? self->free_feature : self->n_features;
    uint32_t before = self->room_seen_features;
    if (RESERVE(self->features, self->room_features, (size_t)new + 1) < 0 ||
        RESERVE(self->seen_features, self->room_seen_features, (size_t)new + 1) < 0) {
        return -1;
    }
    memset(self->seen_features + before, 0, (self->room_seen_features - before) * sizeof *self->seen_features);
    if (self->free_feature) {
        self->free_feature = self->features[new].a;
    } else {
        self->n_features++;
    }
    self->features[new] = *made;
    self->seen_features[new] = 0;
    self->live++;
    *number = new;
    return 0;
}

static void drop_feature(Engine *self, uint32_t number)
{
    Feature *feature = &self->features[number];
    free(feature->groups);
    free(feature->members);
    free(feature->postings);
    *feature = (Feature){.a = self->free_feature};
    self->free_feature = number;
    self->live--;
}

static int word_feature(Engine *self, PyObject *text, uint32_t *number)
{
    uint32_t word;
    if (word_of(self, text, &word) < 0) {
        return -1;
    }
    *number = self->words[word].feature;
    if (*number) {
        release_word(self, word); /* the feature itself asks for it already */
    } else {
        if (new_feature(self, &(Feature){.kind = FEATURE_WORD, .a = word}, number) < 0) {
            release_word(self, word);
            return -1;
        }
        self->words[word].feature = *number;
    }
    self->features[*number].asked++;
    return 0;
}

static int pair_feature(Engine *self, PyObject *one, PyObject *two, uint32_t *number)
{
    uint32_t a, b;
    if (word_of(self, one, &a) < 0) {
        return -1;
    }
    if (word_of(self, two, &b) < 0) {
        release_word(self, a);
        return -1;
    }
    if (map_find(&self->pairs, pair_key(a, b), number)) {
        self->features[*number].asked++;
    } else if (new_feature(self, &(Feature){.kind = FEATURE_PAIR, .asked = 1, .a = a, .b = b}, number) == 0) {
        if (map_put(&self->pairs, pair_key(a, b), *number) == 0) {
            self->words[a].pairs++;
            return 0;
        }
        drop_feature(self, *number);
        release_word(self, a);
        release_word(self, b);
        return -1;
    } else {
        *number = 0;
    }
    release_word(self, a);
    release_word(self, b);
    return *number ? 0 : -1;
}

static int pattern_feature(Engine *self, PyObject *text, uint32_t *number)
{
    uint32_t pattern;
    if (pattern_of(self, text, &pattern) < 0) {
        return -1;
    }
    *number = self->patterns[pattern].feature;
    if (*number) {
        release_pattern(self, pattern);
    } else {
        if (new_feature(self, &(Feature){.kind = FEATURE_PATTERN, .a = pattern}, number) < 0) {
            release_pattern(self, pattern);
            return -1;
        }
        self->patterns[pattern].feature = *number;
    }
    self->features[*number].asked++;
    return 0;
}

/* Return a feature that is known by its object: a new one if `is_new`. */
static int object_feature(Engine *self, uint32_t kind, PyObject *object, uint32_t *number, int *is_new)
{
    PyObject *known = PyDict_GetItemWithError(self->features_by_object, object);
    *is_new = !known;
    if (known) {
        *number = (uint32_t)PyLong_AsUnsignedLong(known);
        self->features[*number].asked++;
        return 0;
    }
    if (PyErr_Occurred() || new_feature(self, &(Feature){.kind = kind, .asked = 1}, number) < 0) {
        return -1;
    }
    PyObject *value = PyLong_FromUnsignedLong(*number);
    if (!value || PyDict_SetItem(self->features_by_object, object, value) < 0) {
        Py_XDECREF(value);
        drop_feature(self, *number);
        return -1;
    }
    Py_DECREF(value);
    Py_INCREF(object);
    self->features[*number].object = object;
    return 0;
}

static void forget_object(Engine *self, uint32_t number)
{
    PyObject *object = self->features[number].object;
    if (PyDict_DelItem(self->features_by_object, object) < 0) {
        PyErr_Clear();
    }
    self->features[number].object = NULL;
    Py_DECREF(object);
}

static int other_feature(Engine *self, PyObject *object, uint32_t *number)
{
    int is_new;
    if (object_feature(self, FEATURE_OTHER, object, number, &is_new) < 0) {
        return -1;
    }
    if (is_new) {
        PyObject *told = PyObject_CallFunctionObjArgs(self->asked, object, NULL);
        if (!told) {
            forget_object(self, *number);
            drop_feature(self, *number);
            return -1;
        }
        Py_DECREF(told);
    }
    return 0;
}

static void leave_group(Engine *self, uint32_t member, uint32_t group)
{
    Feature *feature = &self->features[member];
    for (uint32_t i = 0; i < feature->n_groups; i++) {
        if (feature->groups[i] == group) {
            feature->groups[i] = feature->groups[--feature->n_groups];
            break;
        }
    }
    release_feature(self, member);
}

static void drop_group(Engine *self, uint32_t number)
{
    for (uint32_t i = 0; i < self->features[number].n_members; i++) {
        leave_group(self, self->features[number].members[i], number);
    }
    forget_object(self, number);
    drop_feature(self, number);
}

static int group_feature(Engine *self, PyObject *object, PyObject *members, uint32_t *number)
{
    int is_new;
    if (object_feature(self, FEATURE_GROUP, object, number, &is_new) < 0) {
        return -1;
    }
    if (!is_new) {
        return 0;
    }
    Py_ssize_t count = PyTuple_Size(members);
    uint32_t *listed = count < 0 ? NULL : malloc(((size_t)count + 1) * sizeof *listed);
    self->features[*number].members = listed;
    for (Py_ssize_t i = 0; listed && i < count; i++) {
        uint32_t member;
        if (feature_of(self, PyTuple_GetItem(members, i), &member) < 0) {
            drop_group(self, *number);
            return -1;
        }
        Feature *feature = &self->features[member];
        if (feature->kind == FEATURE_GROUP || member == ALWAYS ||
            RESERVE(feature->groups, feature->room_groups, (size_t)feature->n_groups + 1) < 0) {
            release_feature(self, member);
            drop_group(self, *number);
            return -1;
        }
        feature->groups[feature->n_groups++] = *number;
        listed[self->features[*number].n_members++] = member;
    }
    if (!listed) {
        drop_group(self, *number);
        return -1;
    }
    return 0;
}

int feature_of(Engine *self, PyObject *described, uint32_t *number)
{
    if (described == Py_None) {
        *number = ALWAYS;
        return 0;
    }
    int kind;
    PyObject *one, *two = NULL;
    if (!PyArg_ParseTuple(described, "iO|O", &kind, &one, &two)) {
        return -1;
    }
    switch (kind) {
    case FEATURE_WORD:
        return word_feature(self, one, number);
    case FEATURE_PAIR:
        if (two) {
            return pair_feature(self, one, two, number);
        }
        break;
    case FEATURE_PATTERN:
        if (PyUnicode_Check(one)) {
            return pattern_feature(self, one, number);
        }
        break;
    case FEATURE_OTHER:
        return other_feature(self, one, number);
    case FEATURE_GROUP:
        if (two && PyTuple_Check(two)) {
            return group_feature(self, one, two, number);
        }
        break;
    default:
        break;
    }
    PyErr_SetString(PyExc_ValueError, "no such feature");
    return -1;
}

void release_feature(Engine *self, uint32_t number)
{
    if (number == ALWAYS || --self->features[number].asked) {
        return;
    }
    uint32_t a = self->features[number].a, b = self->features[number].b;
    switch (self->features[number].kind) {
    case FEATURE_WORD:
        self->words[a].feature = 0;
        drop_feature(self, number);
        release_word(self, a);
        break;
    case FEATURE_PAIR:
        self->words[a].pairs--;
        map_drop(&self->pairs, pair_key(a, b));
        drop_feature(self, number);
        release_word(self, a);
        release_word(self, b);
        break;
    case FEATURE_PATTERN:
        self->patterns[a].feature = 0;
        drop_feature(self, number);
        release_pattern(self, a);
        break;
    case FEATURE_GROUP:
        drop_group(self, number);
        break;
    default: {
        PyObject *told = PyObject_CallFunctionObjArgs(self->forgotten, self->features[number].object, NULL);
        if (!told) {
            PyErr_WriteUnraisable(self->forgotten);
        }
        Py_XDECREF(told);
        forget_object(self, number);
        drop_feature(self, number);
    }
    }
}

/* --- postings --- */

int add_posting(Engine *self, const Home *home, uint32_t query)
{
    Feature *feature = &self->features[home->first];
    if (RESERVE(feature->postings, feature->room_postings, (size_t)feature->n_postings + 1) < 0) {
        return -1;
    }
    feature->postings[feature->n_postings++] = (Posting){home->second, query << 1 | home->sure};
    return 0;
}

void drop_posting(Engine *self, const Home *home, uint32_t query)
{
    Feature *feature = &self->features[home->first];
    for (uint32_t i = feature->n_postings; i-- > 0;) {
        const Posting *posting = &feature->postings[i];
        if (posting->second == home->second && posting->query == (query << 1 | home->sure)) {
            feature->postings[i] = feature->postings[--feature->n_postings];
            return;
        }
    }
}
