/// <reference path="../../widget/embed.d.ts" />
