// On the visitor's page, while the meeting link is being made: asks for the appointment, ever less often, and shows the
// page anew once the link is there. Without scripts the page refreshes itself.
const appointment = location.pathname.replace("/manage/", "/embed/v1/appointments/");
let pause = 1000;

async function look() {
  const answer = await fetch(appointment, { credentials: "omit" }).catch(() => undefined);
  if (answer?.ok && !(await answer.json()).meeting_pending) {
    location.reload();
  } else if (pause < 60_000) {
    pause *= 1.5;
    setTimeout(look, pause);
  }
}

setTimeout(look, pause);
