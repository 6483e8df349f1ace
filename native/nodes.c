/* Queries as a graph: equal parts of different queries are one node.
 *
 * A node is described as (op, fields, argument, other, parts, text): `text` is what its spans say, for those that have
 * places of their own.
 */
#include "engine.h"

enum { DEEPEST = 200 };

/* A node not yet in the graph. */
typedef struct {
    Node node;
    uint32_t *parts;
    PyObject *text;
} Draft;

static uint64_t hash_of(const Node *node, const uint32_t *parts)
{
    uint64_t hash = mixed((uint64_t)node->op << 40 | (uint64_t)node->mask << 32 | node->argument);
    hash = mixed(hash ^ ((uint64_t)node->other << 32 | node->n_parts));
    for (uint32_t i = 0; i < node->n_parts; i++) {
        hash = mixed(hash + parts[i]);
    }
    return hash ? hash : 1;
}

static int is_same(const Node *known, const Draft *draft)
{
    const Node *node = &draft->node;
    return known->op == node->op && known->mask == node->mask && known->argument == node->argument &&
           known->other == node->other && known->n_parts == node->n_parts &&
           !memcmp(parts_of(known), draft->parts, node->n_parts * sizeof *draft->parts);
}

static int has_text(int op)
{
    return op >= OP_WORD && op <= OP_UNION;
}

/* --- memos --- */

static int new_memo(Engine *self, int op, PyObject *text, uint32_t *number)
{
    uint32_t new = self->free_memo ? self->free_memo : self->n_memos;
    if (RESERVE(self->memos, self->room_memos, (size_t)new + 1) < 0) {
        return -1;
    }
    Memo memo = {0};
    if (has_text(op)) {
        PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass") : NULL;
        char *data;
        Py_ssize_t length;
        if (!bytes || PyBytes_AsStringAndSize(bytes, &data, &length) < 0) {
            Py_XDECREF(bytes);
            return -1;
        }
        memo.text = malloc((size_t)length + 1);
        if (memo.text) {
            memcpy(memo.text, data, (size_t)length);
        }
        memo.length = (uint32_t)length;
        Py_DECREF(bytes);
        if (!memo.text) {
            return -1;
        }
        Py_INCREF(text);
        memo.part = text;
    }
    if (self->free_memo) {
        self->free_memo = self->memos[new].next;
    } else {
        self->n_memos++;
    }
    self->memos[new] = memo;
    *number = new;
    return 0;
}

static void drop_memo(Engine *self, uint32_t number)
{
    Memo *memo = &self->memos[number];
    free(memo->text);
    Py_CLEAR(memo->part);
    *memo = (Memo){.next = self->free_memo};
    self->free_memo = number;
}

/* --- what nodes are about --- */

static void release_argument(Engine *self, const Node *node)
{
    switch (node->op) {
    case OP_EXACT:
        self->n_exacts--;
        release_word(self, node->other);
        release_word(self, node->argument);
        break;
    case OP_WORD:
    case OP_UNKNOWN:
        release_word(self, node->argument);
        break;
    case OP_WILD:
        release_pattern(self, node->argument);
        break;
    case OP_FEATURE:
        release_feature(self, node->argument);
        break;
    default:
        break;
    }
}

static int number(PyObject *object, uint32_t most, uint32_t *value)
{
    unsigned long given = PyLong_Check(object) ? PyLong_AsUnsignedLong(object) : most + 1UL;
    if (given > most) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "a number is missing or too large");
        }
        return -1;
    }
    *value = (uint32_t)given;
    return 0;
}

static int take_argument(Engine *self, Node *node, PyObject *argument, PyObject *other)
{
    switch (node->op) {
    case OP_EXACT:
        if (word_of(self, argument, &node->argument) < 0) {
            return -1;
        }
        if (word_of(self, other, &node->other) < 0) {
            release_word(self, node->argument);
            return -1;
        }
        self->n_exacts++;
        return 0;
    case OP_WORD:
    case OP_UNKNOWN:
        return word_of(self, argument, &node->argument);
    case OP_WILD:
        if (!PyUnicode_Check(argument)) {
            PyErr_SetString(PyExc_TypeError, "a pattern is a text");
            return -1;
        }
        return pattern_of(self, argument, &node->argument);
    case OP_FEATURE:
        return feature_of(self, argument, &node->argument);
    case OP_NEAR:
        return number(argument, GAP - 1, &node->argument) < 0 ? -1 : number(other, 1, &node->other);
    case OP_NOT_NEAR:
        return number(argument, GAP - 1, &node->argument);
    case OP_SOME:
    case OP_OFTEN:
        return number(argument, INT32_MAX, &node->argument);
    default:
        return 0;
    }
}

/* --- the graph --- */

static void release_parts(Engine *self, const uint32_t *parts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        release_node(self, parts[i]);
    }
}

static int are_placed(const Engine *self, const Draft *draft)
{
    for (uint32_t i = 0; i < draft->node.n_parts; i++) {
        if (!self->nodes[draft->parts[i]].placed) {
            return 0;
        }
    }
    return 1;
}

static int fits(const Engine *self, const Draft *draft)
{
    uint32_t count = draft->node.n_parts;
    int inner = are_placed(self, draft);
    for (uint32_t i = 0; i < count; i++) {
        inner = inner && (draft->node.op != OP_PHRASE || self->nodes[draft->parts[i]].op <= OP_WILD);
    }
    switch (draft->node.op) {
    case OP_PHRASE:
        return count >= 2 && inner;
    case OP_UNION:
        return count && inner;
    case OP_NEAR:
    case OP_NOT_NEAR:
    case OP_EXCEPT:
        return count == 2 && inner;
    case OP_OFTEN:
        return count == 1 && inner;
    case OP_NOT:
        return count == 1;
    case OP_ANY:
    case OP_ALL:
    case OP_SOME:
        return count >= 1;
    default:
        return count == 0;
    }
}

/* Put a draft into the graph. It keeps what the draft holds; on failure the caller still has it. */
static int put(Engine *self, Draft *draft, uint64_t hash, uint32_t *number)
{
    Node *node = &draft->node;
    uint32_t new = self->free_node ? self->free_node : self->n_nodes;
    if (RESERVE(self->nodes, self->room_nodes, (size_t)new + 1) < 0) {
        return -1;
    }
    map_find(&self->node_hashes, hash, &node->next);
    node->placed = node->op <= OP_ANY && are_placed(self, draft);
    if (node->placed && new_memo(self, node->op, draft->text, &node->memo) < 0) {
        return -1;
    }
    if (map_put(&self->node_hashes, hash, new) < 0) {
        if (node->memo) {
            drop_memo(self, node->memo);
        }
        return -1;
    }
    if (node->n_parts <= 2) {
        memcpy(node->parts.few, draft->parts, node->n_parts * sizeof *draft->parts);
        free(draft->parts);
    } else {
        node->parts.many = draft->parts;
    }
    for (uint32_t i = 0; i < node->n_parts; i++) {
        node->unknown |= self->nodes[parts_of(node)[i]].unknown;
    }
    node->unknown |= node->op == OP_UNKNOWN;
    if (self->free_node) {
        self->free_node = self->nodes[new].next;
    } else {
        self->n_nodes++;
    }
    node->users = 1;
    self->nodes[new] = *node;
    self->live++;
    *number = new;
    return 0;
}

/* Return the node that a draft is, the one that is known or a new one. What the draft holds is given away. */
static int settle(Engine *self, Draft *draft, uint32_t *number)
{
    Node *node = &draft->node;
    uint64_t hash = hash_of(node, draft->parts);
    uint32_t known = 0;
    map_find(&self->node_hashes, hash, &known);
    while (known && !is_same(&self->nodes[known], draft)) {
        known = self->nodes[known].next;
    }
    if (known) {
        self->nodes[known].users++;
        *number = known;
    } else if (put(self, draft, hash, number) == 0) {
        return 0;
    }
    release_argument(self, node);
    release_parts(self, draft->parts, node->n_parts);
    free(draft->parts);
    return known ? 0 : -1;
}

int node_of(Engine *self, PyObject *described, int depth, uint32_t *number)
{
    int op, mask;
    PyObject *argument, *other, *parts, *text;
    if (!PyArg_ParseTuple(described, "iiOOO!O", &op, &mask, &argument, &other, &PyTuple_Type, &parts, &text)) {
        return -1;
    }
    Py_ssize_t count = PyTuple_Size(parts);
    if (op <= OP_FREE || op >= OP_LAST || mask < 0 || mask > EVERYWHERE || depth > DEEPEST || count > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "no such node");
        return -1;
    }
    Draft draft = {.node = {.op = (uint8_t)op, .mask = (uint8_t)mask}, .text = text};
    draft.parts = malloc(((size_t)count + 1) * sizeof *draft.parts);
    if (!draft.parts) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (node_of(self, PyTuple_GetItem(parts, i), depth + 1, &draft.parts[i]) < 0) {
            goto failed;
        }
        draft.node.n_parts++;
    }
    if (!fits(self, &draft) || (has_text(op) && !PyUnicode_Check(text))) {
        PyErr_SetString(PyExc_ValueError, "a node does not fit its parts");
        goto failed;
    }
    if (take_argument(self, &draft.node, argument, other) < 0) {
        goto failed;
    }
    return settle(self, &draft, number);
failed:
    release_parts(self, draft.parts, draft.node.n_parts);
    free(draft.parts);
    return -1;
}

void release_node(Engine *self, uint32_t number)
{
    if (--self->nodes[number].users) {
        return;
    }
    Node node = self->nodes[number];
    uint64_t hash = hash_of(&node, parts_of(&node));
    uint32_t before = 0;
    map_find(&self->node_hashes, hash, &before);
    if (before != number) {
        while (self->nodes[before].next != number) {
            before = self->nodes[before].next;
        }
        self->nodes[before].next = node.next;
    } else if (node.next) {
        map_put(&self->node_hashes, hash, node.next); /* the key is there: cannot fail */
    } else {
        map_drop(&self->node_hashes, hash);
    }
    self->nodes[number] = (Node){.next = self->free_node};
    self->free_node = number;
    self->live--;
    if (node.memo) {
        drop_memo(self, node.memo);
    }
    release_argument(self, &node);
    release_parts(self, parts_of(&node), node.n_parts);
    if (node.n_parts > 2) {
        free(node.parts.many);
    }
}
