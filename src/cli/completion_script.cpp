#include "cli/completion.hpp"

namespace datachange {

namespace {

// What may be completed is known by the tool, which is asked at each Tab: the scripts are the same whatever
// the commands are.

constexpr const char* bash_script = R"sh(# bash completion for datachange

_datachange() {
    local tool=${COMP_WORDS[0]/#\~/$HOME} words=() line asks= i
    # readline parts words at = and : as well; the tool takes them whole, and without quotes
    for ((i = 1; i <= COMP_CWORD; i++)); do
        if ((i > 1)) && [[ ${COMP_WORDS[i]} == [=:]* || ( ${COMP_WORDS[i - 1]} == [=:]* && -n ${COMP_WORDS[i]} ) ]]; then
            words[-1]+=${COMP_WORDS[i]}
        else
            words+=("${COMP_WORDS[i]}")
        fi
    done
    words=("${words[@]//[\"\'\\]/}")
    local word=${words[-1]} part=${COMP_WORDS[COMP_CWORD]}
    [[ $part == [=:]* ]] && part=
    local before=${word%"$part"}
    COMPREPLY=()
    compopt -o nosort 2>/dev/null
    while IFS= read -r line; do
        case $line in
            :*) asks=$line ;;
            "$word"*) line=${line%%$'\t'*}; COMPREPLY+=("${line#"$before"}") ;;
        esac
    done < <("$tool" __complete "${words[@]}" 2>/dev/null)
    [[ -n $asks ]] || return 0
    compopt -o filenames +o nosort 2>/dev/null
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$([[ $asks == :folders ]] && echo -d || echo -f)" -- "$part")
}

complete -F _datachange datachange
)sh";

constexpr const char* zsh_script = R"sh(#compdef datachange

_datachange() {
    local -a candidates
    local line asks=
    while IFS= read -r line; do
        case $line in
            :*) asks=$line ;;
            *) candidates+=("${${line%%$'\t'*}//:/\\:}${${(M)line%$'\t'*}/$'\t'/:}") ;;
        esac
    done < <("${(Q)words[1]/#\~/$HOME}" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    (( $#candidates )) && _describe -V datachange candidates
    [[ -n $asks && $PREFIX == --*=* ]] && compset -P '*='
    case $asks in
        :files) compset -P 'sqlite:'; _files ;;
        :folders) _files -/ ;;
    esac
}

# read by compinit it is the function's body, sourced it is registered
if [[ $funcstack[1] == _datachange ]]; then
    _datachange "$@"
else
    compdef _datachange datachange
fi
)sh";

constexpr const char* fish_script = R"sh(# fish completion for datachange

function __datachange_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    # of --dir=audits and sqlite:shop.db only the end is a path
    set -l before (string match -r '^(?:--[^=]*=)?(?:sqlite:)?' -- $word)
    set -l path (string replace -- "$before" '' $word)
    for line in ($words[1] __complete $words[2..-1] "$word" 2>/dev/null)
        switch $line
            case :files
                string replace -r -- '^' "$before" (__fish_complete_path $path)
            case :folders
                string replace -r -- '^' "$before" (__fish_complete_directories $path)
            case '*'
                echo $line
        end
    end
end

complete -c datachange -f -a '(__datachange_complete)'
)sh";

}  // namespace

std::string completion_script(const std::string& shell) {
    if (shell == "bash") return bash_script;
    return shell == "zsh" ? zsh_script : fish_script;
}

}  // namespace datachange
