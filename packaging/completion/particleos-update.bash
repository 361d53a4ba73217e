# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of particleos-update(8).

_particleos_update() {
    local word=${COMP_WORDS[COMP_CWORD]} verbs="check update status list rollback verify cleanup"
    local options="--json --root= --image= --boot-path= --definitions= --transfer-source= --verify= --ignore-freshness
        --no-deltas --cacert= --timeout= --debug --help --version"
    local before=${COMP_WORDS[COMP_CWORD - 1]}

    # "=" is a word of its own.
    [ "$word" != = ] || word=
    [ "$before" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}
    case $before in
    --root | --boot-path | --definitions | --transfer-source) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    --image | --cacert) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    --verify) mapfile -t COMPREPLY < <(compgen -W "yes no" -- "$word") ;;
    --timeout) COMPREPLY=() ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "$verbs $options" -- "$word")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        ;;
    esac
}
complete -F _particleos_update particleos-update
