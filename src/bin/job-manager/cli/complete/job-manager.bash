# Completion of job-manager in bash, which asks the program itself.
_job_manager() {
    local IFS=$'\013' index=$COMP_CWORD lead='' line token rest
    local -a words=("${COMP_WORDS[@]:0:COMP_CWORD+1}")
    # Bash ends words at a colon and an equals sign too: what belongs together is put together again.
    line=${COMP_LINE:0:COMP_POINT}
    line=${line##*[[:space:]]}
    if [[ $line == *[:=]*"$2" ]]; then
        lead=${line%"$2"}
        rest=$lead
        [[ ${words[index]} == "$2" ]] || index=$((index + 1))
        while [[ -n $rest && $index -gt 1 ]]; do
            token=${words[index - 1]}
            [[ $rest == *"$token" ]] || break
            rest=${rest%"$token"}
            index=$((index - 1))
        done
        words=("${words[@]:0:index}" "$line")
    else
        words[index]=$2
    fi
    COMPREPLY=($(
        JOB_MANAGER_COMPLETE=bash _CLAP_IFS="$IFS" _CLAP_COMPLETE_INDEX="$index" _CLAP_COMPLETE_COMP_TYPE="$COMP_TYPE" \
            job-manager -- "${words[@]}" 2>/dev/null
    )) || { COMPREPLY=(); return; }
    COMPREPLY=("${COMPREPLY[@]#"$lead"}")
    # Something follows.
    if [[ ${COMPREPLY-} == *[=/:] ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o bashdefault -o nosort -F _job_manager job-manager 2>/dev/null || complete -o bashdefault -F _job_manager job-manager
